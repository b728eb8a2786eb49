import { nameSome, oneLine } from '../text/format.ts'
import type { ServerReport } from './server-report.ts'

/** Smaller content may come from the seeder alone, because the transfer is over before servers have met. */
const MIN_BYTES = 1 << 20
const MAX_NAMES = 4

/** The setting `between`. */
export type Between = 'direct' | 'auto' | 'ssh'

/** Where they may exchange over SSH already, another line has said why they do not. */
function cure(between: Between): string {
  const ssh = between === 'direct' ? ', or set murder.between to auto: then they exchange over SSH' : ''
  return `let the ports of murder.ports through firewalls between the servers${ssh}; murder:doctor says where they are closed`
}

/** Printed as soon as it is clear that servers do not exchange anything. */
export const closedLine = (between: Between): string =>
  `the servers get nothing from each other, so all is sent to each of them: ${cure(between)}`

/** Whether the seeder has sent so much, and no server anything, that servers seem closed to each other. */
export function areClosed(size: number, seederSent: number): boolean {
  return size >= MIN_BYTES && seederSent >= 1.5 * size
}

/** A text about servers that got everything from the seeder and sent nothing to others; undefined where there are none. */
export function closedText(perServer: readonly ServerReport[], between: Between): string | undefined {
  const fetched = perServer.filter(({ received = 0 }) => received >= MIN_BYTES)
  const closed = fetched.filter(({ received, fromSeeder, sent }) => fromSeeder === received && sent === 0)
  if (fetched.length < 2 || closed.length === 0) return undefined
  const names = nameSome(
    closed.map(({ server }) => oneLine(server)),
    MAX_NAMES,
  )
  return `${names} exchanged nothing with other servers: ${cure(between)}`
}
