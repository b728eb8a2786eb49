import { PieceSet } from '../piece-set.ts'

/** Within this time the other members have heard of a reservation, and this one of theirs. */
const SETTLE_S = 0.1
/** What is not begun by then is given up: the others wait only a little longer. */
const STALE_S = 1

/**
 * Pieces of other members that this one is going to fetch from another site. It tells them first, and begins a moment later if none
 * of them fetches the same piece: members that begin at once what is free to all often begin the same one.
 */
export class Reservations {
  /** Pieces that may be begun, and those that were. */
  readonly settled: PieceSet
  /** Pieces that are not reserved. */
  readonly free: PieceSet
  /** Pieces that were not begun, since when they are reserved. */
  readonly #waiting = new Map<number, number>()

  constructor(pieceCount: number) {
    this.settled = new PieceSet(pieceCount)
    this.free = new PieceSet(pieceCount).fill()
  }

  /** Pieces that are reserved and not begun. */
  get waiting(): Iterable<number> {
    return this.#waiting.keys()
  }

  get size(): number {
    return this.#waiting.size
  }

  reserve(piece: number, nowS: number): void {
    this.#waiting.set(piece, nowS)
    this.free.delete(piece)
  }

  /** Returns whether it was reserved, so that the others know. */
  begun(piece: number): boolean {
    return this.#waiting.delete(piece) || this.settled.has(piece)
  }

  /**
   * Another member fetches or reserves the piece. `isOurs`: of two that reserve it at the same time, this is the one that keeps it.
   * Who reserves it later has waited for us in vain. Returns whether this one keeps it.
   */
  contest(piece: number, isOurs: () => boolean): boolean {
    if (!this.#waiting.has(piece)) return false
    if (!this.settled.has(piece) && isOurs()) return true
    this.giveUp(piece)
    return false
  }

  /** It is fetched by another member, or is there already. */
  giveUp(piece: number): void {
    if (!this.#waiting.delete(piece)) return
    this.settled.delete(piece)
    this.free.add(piece)
  }

  tick(nowS: number): void {
    for (const [piece, atS] of this.#waiting) {
      if (nowS - atS >= STALE_S) this.giveUp(piece)
      else if (nowS - atS >= SETTLE_S) this.settled.add(piece)
    }
  }
}
