import { fittedTable } from '../text/fitted-table.ts'
import { bytes, duration, firstOf, oneLine, rate } from '../text/format.ts'
import type { Failure } from './failures.ts'
import type { ServerPhase } from './live/fleet-progress.ts'
import type { DeltaReport } from './server-report.ts'

/** The data of one server in a run: bytes, seconds, bytes a second. */
export interface ServerRecord {
  server: string
  /** Host and port of its SSH, as the deploy host reaches it. */
  address: string
  outcome: 'done' | 'failed' | 'unfinished'
  /** Whether its `current` points to this run's release. */
  published: boolean
  /** Whether a new SSH connection has reached it since; where `rollout.confirm` asks for that. */
  confirmed?: boolean
  /** Seconds in each step, in their order. */
  steps: Partial<Record<ServerPhase | 'publish', number>>
  received: number
  fromSeeder: number
  fromPeers: number
  sent: number
  rate: number
  /** The delta that it got in place of the package: the id of its base, and its bytes. */
  delta?: DeltaReport | undefined
  /** Why a delta did not fit. Then the server got the package. */
  refusedDelta?: string | undefined
  /** Retries of connections and commands. */
  retries: number
  failure?: Omit<Failure, 'server'>
}

/** More rows would flood a log. Failed servers come first, then the slowest. */
const MAX_ROWS = 40

/** If the table is too wide, columns with the highest numbers are left out first. */
const COLUMNS = [
  { title: 'server', nameAtLeast: 24 },
  { title: 'outcome' },
  { title: 'transfer', dispensable: 1 },
  { title: 'unpack', dispensable: 6 },
  { title: 'from seeder', dispensable: 3 },
  { title: 'from peers', dispensable: 4 },
  { title: 'sent', dispensable: 5 },
  { title: 'rate', dispensable: 2 },
  { title: 'retries', dispensable: 7 },
]

/** A table with one row for each server, at most `columns` wide. */
export function serverTable(records: readonly ServerRecord[], columns: number): string {
  const order = (record: ServerRecord) =>
    record.outcome === 'failed' ? Number.POSITIVE_INFINITY : (record.steps.transfer ?? 0)
  const sorted = [...records].sort((a, b) => order(b) - order(a) || (a.server < b.server ? -1 : 1))
  const [shown, more] = firstOf(sorted, MAX_ROWS)
  const rows = shown.map((record) => [
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
  const head = COLUMNS.map(({ title }) => title)
  const text = fittedTable([head, ...rows], COLUMNS, columns)
  return more > 0 ? `${text}\n… and ${more} more` : text
}
