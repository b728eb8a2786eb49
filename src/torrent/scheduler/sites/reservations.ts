import { PieceSet } from '../piece-set.ts'

/** After this time all members know of each other's reservations. */
const SETTLE_S = 0.1
/** A reservation that is not begun by then is given up, because the others wait only a little longer. */
const STALE_S = 1

/**
 * Pieces that are other members' by hash, and that this member is going to fetch from another site. It tells the others first, and
 * begins a moment later if none of them fetches the same piece. Without the pause, two members would often begin the same piece.
 */
export class Reservations {
  /** Reserved pieces that may be begun now, and those that were begun. */
  readonly settled: PieceSet
  /** Pieces that are not reserved. */
  readonly free: PieceSet
  /** Reserved pieces that are not begun, and when each was reserved. */
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

  /** Returns whether the piece was reserved. Then the others know of it already. */
  begun(piece: number): boolean {
    return this.#waiting.delete(piece) || this.settled.has(piece)
  }

  /**
   * Another member fetches or reserves the piece. If both have just reserved it, `isOurs` decides which of the two keeps it. If our
   * reservation is older, the other member has waited for us in vain, and gets the piece. Returns whether this member keeps it.
   */
  contest(piece: number, isOurs: () => boolean): boolean {
    if (!this.#waiting.has(piece)) return false
    if (!this.settled.has(piece) && isOurs()) return true
    this.giveUp(piece)
    return false
  }

  /** Another member fetches the piece, or it is here already. */
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
