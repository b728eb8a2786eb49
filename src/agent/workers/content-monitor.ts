import type { MurderError } from '../../errors.ts'
import { MAX_SOURCES } from '../../protocol/events.ts'
import { awakeSeconds } from '../../system/awake.ts'
import type { Participant } from '../../torrent/participant.ts'
import type { Stats } from '../../torrent/participant-options.ts'
import type { ContentJob } from '../runs/job.ts'
import { nobodyYet, sourcesGone, timeoutError } from './timeout-error.ts'
import { verdict } from './watchdog.ts'
import type { WorkerContext } from './worker-context.ts'

const TICK_MS = 250
/** Progress is reported this often, changed or not: it is also the sign of life. */
export const REPORT_MS = 1000
/** The same for a lingering peer, and for a seeder that sends nothing. */
const IDLE_REPORT_MS = 10_000
/** How often at most a peer reports where its bytes come from. */
const SOURCES_MS = 2000
/** A neighbour that has just left may come back, and others get this much time to tell what they have. */
const SOURCES_GONE_MS = 5000
/** Most others are met within a second. */
const NOBODY_MS = 5000

const awakeMs = () => awakeSeconds() * 1000

/** Reports the progress of a seeder or a peer, and notices when a peer makes none. */
export class ContentMonitor {
  /** Rejects when one of the peer's timeouts has run out. */
  readonly gaveUp: Promise<never>
  readonly #participant: Participant
  readonly #job: ContentJob
  readonly #emit: WorkerContext['emit']
  readonly #started: number
  readonly #connecting = awakeMs()
  readonly #timer: NodeJS.Timeout
  readonly #kept: number
  #progressed = this.#connecting
  #received = this.#connecting
  #reported = Number.NEGATIVE_INFINITY
  #sourcesReported = Number.NEGATIVE_INFINITY
  #sentReported = 0
  #last: Stats | undefined
  #complete = false
  #isWithoutSource = false
  #isLonely = false
  #banned = 0
  #fail: (error: MurderError) => void = () => {}

  /**
   * `started`: when the job began (performance.now()). `kept`: bytes that were there already. Time while this process was
   * suspended does not count towards timeouts.
   */
  constructor(
    participant: Participant,
    job: ContentJob,
    emit: WorkerContext['emit'],
    { started, kept }: { started: number; kept: number },
  ) {
    this.#participant = participant
    this.#kept = kept
    this.#job = job
    this.#emit = emit
    this.#started = started - performance.now() + this.#connecting
    this.gaveUp = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.gaveUp.catch(() => {}) // once the content is complete, nothing waits for it any more
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#tick()
  }

  /** The content is complete. */
  complete(): void {
    this.#complete = true
    this.#tick()
    this.report()
  }

  /** Reports at once. A seeder's last report says how much it sent. */
  report(stats = this.#participant.stats()): void {
    this.#reported = awakeMs()
    const { bytes, total, down, up, peers, sent } = stats
    const kept = this.#kept
    this.#sentReported = sent
    this.#emit({ event: 'progress', bytes, total, down, up, peers, sent, kept, ...this.#sources() })
  }

  #sources() {
    if (this.#job.role === 'seeder' || this.#complete || this.#reported - this.#sourcesReported < SOURCES_MS)
      return {}
    this.#sourcesReported = this.#reported
    const from = this.#participant.topSources(MAX_SOURCES)
    return from.length > 0 ? { from } : {}
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const now = awakeMs()
    const stats = this.#participant.stats()
    if (stats.bytes > (this.#last?.bytes ?? 0)) this.#progressed = now
    if (stats.received > (this.#last?.received ?? 0)) this.#received = now
    if (this.#isDue(stats, now)) this.report(stats)
    for (; this.#banned < stats.banned.length; this.#banned++)
      this.#emit({ event: 'banned', address: stats.banned[this.#banned] as string })
    this.#last = stats
    if (this.#job.role === 'peer') this.#watch(stats, now)
  }

  /** Before completion also as soon as the first peer or the first byte came, or the last peer has left. */
  #isDue({ peers, bytes, sent }: Stats, now: number): boolean {
    const isIdle = this.#complete && (this.#job.role === 'peer' || sent === this.#sentReported)
    if (now - this.#reported >= (isIdle ? IDLE_REPORT_MS : REPORT_MS)) return true
    const turned = peers > 0 !== (this.#last?.peers ?? 0) > 0 || (bytes > 0 && !this.#last?.bytes)
    return turned && !this.#complete
  }

  #watch(stats: Stats, now: number): void {
    const job = this.#job
    const ranOut = verdict(
      {
        now,
        started: this.#started,
        connecting: this.#connecting,
        progressed: this.#progressed,
        foundContent: stats.foundContent,
        received: this.#received,
        seederIsWrong: stats.wrongSeeder !== undefined,
        mayStillCome: job.trackers.length > 0 && job.peers.length === 0 && !stats.trackerError,
        complete: this.#complete,
      },
      job.timeouts,
    )
    const sought = (now - this.#connecting) / 1000
    if (ranOut) this.#fail(timeoutError(ranOut, job, { ...stats, sought }))
    else this.#tellOfSources({ ...stats, sought }, now)
    this.#tellOfNobody({ ...stats, sought }, now)
  }

  /** Says once that no other was met yet. */
  #tellOfNobody(at: Stats & { sought: number }, now: number): void {
    const isLonely = !this.#complete && at.peers === 0 && !at.foundContent && at.received === 0
    if (this.#isLonely || !isLonely || now - this.#connecting < NOBODY_MS) return
    this.#isLonely = true
    this.#emit({ event: 'warning', message: nobodyYet(this.#job, at, this.#participant.port) })
  }

  /** Says once that all sources of the missing pieces are gone. */
  #tellOfSources(at: Stats & { sought: number }, now: number): void {
    if (now - this.#received < SOURCES_GONE_MS || !at.foundContent || at.wrongSeeder) return
    const isWithout = !this.#complete && !this.#participant.hasSource
    if (isWithout && !this.#isWithoutSource)
      this.#emit({ event: 'warning', message: sourcesGone(this.#job, at) })
    this.#isWithoutSource = isWithout
  }
}
