/** shipit-deploy ships no types. */
declare module 'shipit-deploy' {
  import type { Shipit } from '../src/shipit.ts'
  export default function deploy(shipit: Shipit): void
}
