import { isMesh } from '../topology.ts'
import type { Receiver } from './receiver.ts'
import { SeederUplink } from './seeder-uplink.ts'

/**
 * A peer is assigned, in advance, what it takes in this time. With few peers the time is longer, so that a hiccup of one does not
 * leave the uplink idle. With many it is shorter, because the others fill in and assigned pieces would only wait longer.
 */
const MAX_AHEAD_S = 0.3
const MIN_AHEAD_S = 0.1
/** Up to so many peers count as few. */
const FEW_PEERS = 10
/** A peer that reacts more slowly than `MAX_AHEAD_S` is assigned what it takes in so many of its reaction times. */
const AHEAD_REACTIONS = 3
const MIN_AHEAD_PIECES = 2
/** In a swarm that is a mesh, all peers together are assigned at least so many pieces. */
const MIN_ASSIGNED_PIECES = 16
/**
 * In a larger swarm they are assigned at least so many. The pieces under way share the uplink: with twice as many, each is passed
 * on twice as late. In a mesh more is asked in advance, so peers react late, and the uplink of a seeder that is faster than they
 * are would rest (NOTES.md).
 */
const MIN_ASSIGNED_IN_LARGE = 5
/** A peer that needs so many times the least time of a piece, and `LATE_S`, is slow. */
const SLOW_TIMES = 2
/** At the end, a piece stays assigned if another peer would get it only this much sooner. */
const LATE_S = 0.2

/** Decides how many bytes are assigned in advance: to one peer, and to all together. */
export class AssignedAhead {
  readonly #receivers: ReadonlyMap<number, Receiver>
  readonly #pieceBytes: number
  readonly #uplink = new SeederUplink()

  /** `receivers`: all peers, by id. `pieceBytes`: of all pieces but the last. */
  constructor(receivers: ReadonlyMap<number, Receiver>, pieceBytes: number) {
    this.#receivers = receivers
    this.#pieceBytes = pieceBytes
  }

  /** `bytes` were sent, to any peer. */
  sent(bytes: number, nowS: number): void {
    this.#uplink.sent(bytes, nowS)
  }

  /** Whether there are more peers than make a mesh. */
  get isLarge(): boolean {
    return !isMesh(this.#receivers.size + 1)
  }

  /** Bytes that may be assigned now, to all peers together. */
  room(nowS: number): number {
    const receivers = [...this.#receivers.values()]
    const { least, ahead } = this.isLarge
      ? { least: MIN_ASSIGNED_IN_LARGE, ahead: this.#uplink.bytesAhead(receivers) }
      : { least: MIN_ASSIGNED_PIECES, ahead: sum(receivers.map((one) => this.#bytesAhead(one))) }
    return Math.max(least * this.#pieceBytes, ahead) - this.#pendingBytes(nowS)
  }

  takesMore(receiver: Receiver, nowS: number): boolean {
    const most = Math.max(MIN_AHEAD_PIECES * this.#pieceBytes, this.#bytesAhead(receiver))
    return !receiver.has.full && receiver.pendingBytes < most && !receiver.isStuck(nowS)
  }

  /** A piece is late if it needs longer than this. */
  latestS(nowS: number): number {
    if (!this.isLarge) return LATE_S
    return LATE_S + this.#pieceTimeS + this.#uplink.timeFor(this.#pendingBytes(nowS))
  }

  /** Bytes that the peer may be assigned in advance, by its own pace. */
  #bytesAhead({ pace, reactionS }: Receiver): number {
    const aheadS = Math.max(MIN_AHEAD_S, Math.min(1, FEW_PEERS / this.#receivers.size) * MAX_AHEAD_S)
    return pace * (reactionS > MAX_AHEAD_S ? reactionS * AHEAD_REACTIONS : aheadS)
  }

  /** Bytes under way to all peers that take what they are shown. */
  #pendingBytes(nowS: number): number {
    // In a larger swarm few pieces are under way, and some slow peers must not hold up all of them.
    const longestS = this.isLarge ? LATE_S + SLOW_TIMES * this.#pieceTimeS : Number.POSITIVE_INFINITY
    let bytes = 0
    for (const receiver of this.#receivers.values())
      if (!receiver.isStuck(nowS) && nowS - receiver.assignedAtS <= longestS) bytes += receiver.pendingBytes
    return bytes
  }

  get #pieceTimeS(): number {
    return this.#uplink.pieceTime(this.#receivers.values())
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)
