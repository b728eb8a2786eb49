import type { DeployReport, ServerReport } from './deploy-report.ts'
import type { OutputEvent } from './events.ts'
import type { ServerPhase } from './fleet-progress.ts'
import type { ServerRecord } from './server-record.ts'
/** Collects what is known of a run, and of each server in it, while it goes on: also one that fails has a report. */
export class RunRecord {
  /** Bytes of the package, and those that the seeder has sent. */
  size = 0
  seederUploaded = 0
  /** Seconds of those that are over. */
  readonly phases: DeployReport['phases'] = {}
  readonly #servers = new Map<string, Open>()
  readonly #now: () => number

  /** `now`: seconds. */
  constructor(
    servers: readonly { label: string; host: string; port: number }[],
    now = () => performance.now() / 1000,
  ) {
    this.#now = now
    for (const { label, host, port } of servers) {
      this.#servers.set(label, {
        ...{ server: label, address: `${host}:${port}`, outcome: 'unfinished', published: false, steps: {} },
        ...{ received: 0, fromSeeder: 0, fromPeers: 0, reused: 0, sent: 0, rate: 0, retries: 0 },
        ...{ phase: undefined, since: now() },
      })
    }
  }

  /** Only these are told of. */
  confine(labels: ReadonlySet<string>): void {
    for (const label of this.#servers.keys()) if (!labels.has(label)) this.#servers.delete(label)
  }

  /** An event of the display. */
  take(event: OutputEvent): void {
    if (event.event === 'server') this.#enter(event.server, event.phase)
    if (event.event !== 'failed') return
    const { event: _, server, ...failure } = event
    const record = this.#servers.get(server)
    if (record) Object.assign(record, { failure, outcome: 'failed' })
  }

  transferred({ server, seconds, received = 0, fromSeeder = 0, sent = 0, reused = 0 }: ServerReport): void {
    const speed = seconds > 0 ? Math.round(received / seconds) : 0
    const fromPeers = Math.max(0, received - fromSeeder)
    const record = this.#servers.get(server)
    if (record) Object.assign(record, { received, fromSeeder, fromPeers, sent, reused, rate: speed })
  }

  /** Its link was changed, or changed back. */
  published(server: string, published: boolean): void {
    const record = this.#servers.get(server)
    if (record) record.published = published
  }

  retried(server: string): void {
    const record = this.#servers.get(server)
    if (record) record.retries++
  }

  get servers(): ServerRecord[] {
    return [...this.#servers.values()].map(({ phase, since, ...record }) => ({ ...record }))
  }

  server(label: string): ServerRecord | undefined {
    return this.servers.find(({ server }) => server === label)
  }

  #enter(label: string, phase: ServerPhase): void {
    const record = this.#servers.get(label)
    if (!record) return
    const now = this.#now()
    if (record.phase !== undefined) {
      const before = record.steps[record.phase] ?? 0
      record.steps[record.phase] = Math.round((before + now - record.since) * 1000) / 1000
    }
    const isEnd = phase === 'done' || phase === 'failed'
    record.phase = isEnd ? undefined : phase
    record.since = now
    if (isEnd) record.outcome = phase
  }
}

export interface Open extends ServerRecord {
  phase: ServerPhase | undefined
  since: number
}
