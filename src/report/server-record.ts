import { bytes, duration, oneLine, rate } from '../text/format.ts'
import { table } from '../text/table.ts'
import type { Failure } from './failures.ts'
import type { ServerPhase } from './fleet-progress.ts'

/** What one run knows of one server. Bytes, seconds, bytes a second. */
export interface ServerRecord {
  server: string
  /** As the deploy host reaches it: host and port of its SSH. */
  address: string
  outcome: 'done' | 'failed' | 'unfinished'
  /** Whether its `current` points to the release of this run. */
  published: boolean
  /** Seconds in each step, in their order. */
  steps: Partial<Record<ServerPhase | 'publish', number>>
  received: number
  fromSeeder: number
  fromPeers: number
  reused: number
  sent: number
  rate: number
  /** How often a connection or a command was tried again. */
  retries: number
  failure?: Omit<Failure, 'server'>
}

/** A log should not be longer for it than the fleet's names: the slowest and those that failed come first. */
const MAX_ROWS = 40

/** One row a server. */
export function serverTable(records: readonly ServerRecord[]): string {
  const order = (record: ServerRecord) =>
    record.outcome === 'failed' ? Number.POSITIVE_INFINITY : (record.steps.transfer ?? 0)
  const sorted = [...records].sort((a, b) => order(b) - order(a) || (a.server < b.server ? -1 : 1))
  const rows = sorted.slice(0, MAX_ROWS).map((record) => [
    oneLine(record.server),
    record.outcome,
    ...(['transfer', 'unpack'] as const).map((step) => {
      const seconds = record.steps[step]
      return seconds === undefined ? '' : duration(seconds)
    }),
    ...[record.fromSeeder, record.fromPeers, record.sent].map((count) => bytes(count)),
    record.rate > 0 ? rate(record.rate) : '',
    String(record.retries),
  ])
  const head = [
    'server',
    'outcome',
    'transfer',
    'unpack',
    'from seeder',
    'from peers',
    'sent',
    'rate',
    'retries',
  ]
  const more = records.length - rows.length
  return table([head, ...rows]) + (more > 0 ? `\n… and ${more} more, which were faster` : '')
}
