import { formatAddress } from '../system/addresses.ts'
import type { DeployReport } from './deploy-report.ts'
import type { OutputEvent } from './events.ts'
import type { LastServer } from './last-server.ts'
import type { ServerPhase } from './live/fleet-progress.ts'
import type { ServerRecord } from './server-record.ts'
import { type ServerReport, speedOf } from './server-report.ts'
import { Timeline } from './timeline.ts'

/** Collects the data of a run and its servers while it goes on, so that a failed run has a report, too. */
export class RunRecord {
  /** Bytes of the package, or of the release's files when no package was made; and bytes that the seeder has sent. */
  size = 0
  packaged = false
  seederUploaded = 0
  /** The last server to get the release, if it was clearly later than the others. */
  last: LastServer | undefined
  /** Seconds of the phases that are over. */
  readonly phases: DeployReport['phases'] = {}
  readonly timeline = new Timeline()
  /** Groups that were published and stayed healthy, in that order. */
  readonly groups: GroupRecord[] = []
  /** Servers that a hook has left out of service. */
  drained: string[] = []
  /** Servers whose guard has gone back. */
  readonly wentBack = new Set<string>()
  readonly #servers = new Map<string, Tracked>()
  readonly #now: () => number

  /** `now`: seconds. */
  constructor(
    servers: readonly { label: string; host: string; port: number }[],
    now = () => performance.now() / 1000,
  ) {
    this.#now = now
    for (const { label, host, port } of servers) {
      this.#servers.set(label, {
        record: newRecord(label, formatAddress(host, port)),
        phase: undefined,
        since: now(),
      })
    }
  }

  /** From now on the run has only these servers. */
  confine(labels: ReadonlySet<string>): void {
    for (const label of this.#servers.keys()) if (!labels.has(label)) this.#servers.delete(label)
  }

  /** Takes an event of the display. */
  take(event: OutputEvent): void {
    this.timeline.take(event)
    if (event.event === 'server') this.#enter(event.server, event.phase)
    if (event.event !== 'failed') return
    const { event: _, server, ...failure } = event
    this.#update(server, { failure, outcome: 'failed' })
  }

  transferred(report: ServerReport): void {
    const { server, seconds, received = 0, fromSeeder = 0, sent = 0 } = report
    const { delta, refusedDelta } = report
    const tracked = this.#servers.get(server)
    if (tracked) tracked.transferSeconds = seconds
    const fromPeers = Math.max(0, received - fromSeeder)
    this.#update(server, {
      received,
      fromSeeder,
      fromPeers,
      sent,
      rate: speedOf({ received, seconds }),
      delta, // Undefined where the delta was refused after all.
      refusedDelta,
    })
  }

  /** Its symlink `current` was changed, or changed back. */
  published(server: string, published: boolean): void {
    this.#update(server, { published })
  }

  /** A new connection has reached it after that. */
  confirmed(server: string): void {
    this.#update(server, { confirmed: true })
  }

  retried(server: string): void {
    const retries = this.#servers.get(server)?.record.retries ?? 0
    this.#update(server, { retries: retries + 1 })
  }

  get servers(): ServerRecord[] {
    return [...this.#servers.values()].map(({ record }) => ({ ...record }))
  }

  server(label: string): ServerRecord | undefined {
    return this.servers.find(({ server }) => server === label)
  }

  #enter(label: string, phase: ServerPhase): void {
    const tracked = this.#servers.get(label)
    if (!tracked) return
    const { record, phase: before, since, transferSeconds } = tracked
    const now = this.#now()
    if (before !== undefined) {
      const measured = before === 'transfer' ? transferSeconds : undefined
      record.steps[before] = Math.round((measured ?? (record.steps[before] ?? 0) + now - since) * 1000) / 1000
    }
    const isEnd = phase === 'done' || phase === 'failed'
    tracked.phase = isEnd ? undefined : phase
    tracked.since = now
    if (isEnd) record.outcome = phase
  }

  #update(server: string, fields: Partial<ServerRecord>): void {
    const record = this.#servers.get(server)?.record
    if (record) Object.assign(record, fields)
  }
}

/** Servers that were published together, and the seconds until they were healthy. */
export interface GroupRecord {
  servers: string[]
  seconds: number
}

interface Tracked {
  record: ServerRecord
  /** The server's present phase and its start; undefined when it has ended. */
  phase: ServerPhase | undefined
  since: number
  /** Fields from the server's report. */
  transferSeconds?: number
}

const newRecord = (server: string, address: string): ServerRecord => ({
  server,
  address,
  outcome: 'unfinished',
  published: false,
  steps: {},
  received: 0,
  fromSeeder: 0,
  fromPeers: 0,
  sent: 0,
  rate: 0,
  retries: 0,
})
