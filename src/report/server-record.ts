import { bytes, duration, oneLine, rate } from '../text/format.ts'
import { table } from '../text/table.ts'
import type { Failure } from './failures.ts'
import type { ServerPhase } from './fleet-progress.ts'

/** The data of one server in a run: bytes, seconds, bytes a second. */
export interface ServerRecord {
  server: string
  /** Host and port of its SSH, as the deploy host reaches it. */
  address: string
  outcome: 'done' | 'failed' | 'unfinished'
  /** Whether its `current` points to this run's release. */
  published: boolean
  /** Seconds in each step, in their order. */
  steps: Partial<Record<ServerPhase | 'publish', number>>
  received: number
  fromSeeder: number
  fromPeers: number
  reused: number
  sent: number
  rate: number
  /** Retries of connections and commands. */
  retries: number
  failure?: Omit<Failure, 'server'>
}

/** More rows would flood a log. Failed servers come first, then the slowest. */
const MAX_ROWS = 40

/** A table with one row for each server. */
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
  const head = 'server,outcome,transfer,unpack,from seeder,from peers,sent,rate,retries'.split(',')
  const more = records.length - rows.length
  return table([head, ...rows]) + (more > 0 ? `\n… and ${more} more, which were faster` : '')
}
