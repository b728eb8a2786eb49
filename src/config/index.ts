export { describeSettings } from './describe.ts'
export { loadSettings, type Origins } from './load.ts'
export type { MurderSettings, Settings } from './schema.ts'
export { seederIndex } from './servers.ts'
