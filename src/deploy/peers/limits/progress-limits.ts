import type { AgentEvent } from '../../../protocol/events.ts'
import { awakeSeconds } from '../../../system/awake.ts'
import { STALL_GRACE_S } from '../../timeouts.ts'

/** The speed of a slow disk, for the time in which a peer checks or unpacks and cannot tell how far it is. */
const DISK_BYTES_PER_S = 10e6
const DISK_FILES_PER_S = 200

/** Events that each say once that a step is over. */
const STEPS: ReadonlySet<string> = new Set(['listening', 'downloaded', 'done', 'unpacked'])

/**
 * Keeps the timeouts of one server's transfer. Only verified bytes and finished steps count as progress, so a server that only
 * talks is left out like a silent one. Bytes are verified by the piece, so one that claims a byte more each time only talks, too.
 * Its own agent keeps the same timeouts, a little shorter, and gives reasons.
 */
export class ProgressLimits {
  readonly #stallS: number
  readonly #totalS: number
  readonly #length: number
  readonly #pieceLength: number
  readonly #now: () => number
  readonly #startedS: number
  readonly #steps = new Set<string>()
  #advancedS: number
  #bytes = 0

  /** Timeouts in seconds, 0 for no limit. `now`: seconds. */
  constructor(
    timeouts: { stall: number; total: number },
    content: { length: number; pieceLength: number; files: number },
    now = awakeSeconds,
  ) {
    const diskS = content.length / DISK_BYTES_PER_S + content.files / DISK_FILES_PER_S
    this.#stallS = timeouts.stall > 0 ? timeouts.stall + STALL_GRACE_S + diskS : Number.POSITIVE_INFINITY
    this.#totalS = timeouts.total > 0 ? timeouts.total + STALL_GRACE_S : Number.POSITIVE_INFINITY
    this.#length = content.length
    this.#pieceLength = content.pieceLength
    this.#now = now
    this.#startedS = now()
    this.#advancedS = now()
  }

  heard(event: AgentEvent): void {
    const isStep = STEPS.has(event.event) && !this.#steps.has(event.event)
    if (isStep) this.#steps.add(event.event)
    const grown = event.event === 'progress' && this.#hasGrown(event.bytes)
    if (grown) this.#bytes = event.bytes
    if (isStep || grown) this.#advancedS = this.#now()
  }

  #hasGrown(bytes: number): boolean {
    if (bytes > this.#length) return false
    return bytes - this.#bytes >= this.#pieceLength || (bytes === this.#length && bytes > this.#bytes)
  }

  /**
   * The limit that has run out, and its seconds. The limit of the whole transfer no longer counts once the content is complete.
   */
  ranOut(): { why: 'stall' | 'total'; seconds: number } | undefined {
    const now = this.#now()
    if (!this.#steps.has('done') && now - this.#startedS >= this.#totalS)
      return { why: 'total', seconds: Math.round(this.#totalS) }
    if (now - this.#advancedS >= this.#stallS) return { why: 'stall', seconds: Math.round(this.#stallS) }
    return undefined
  }
}
