import type { Receiver } from './receiver.ts'

/** A peer counts as not passing on when nobody gets anything from it for this long, or for so many times the usual duration. */
const MAX_KEPT_S = 0.5
const MAX_KEPT_TIMES = 8
/** Before so many pieces were passed on, there is no usual duration: perhaps nobody is there yet to get them. */
const MIN_SAMPLES = 8

interface Gift {
  receiver: Receiver
  atS: number
}

/**
 * Which peers pass on the pieces that they get. A peer may be unable to: no other peer reaches it, or all have banned its
 * machine. The pieces of the other peers show that; no peer's word about another one is trusted.
 */
export class PassingOn {
  /** Pieces that one peer has from us and no other machine has got since. */
  readonly #gifts = new Map<number, Gift>()
  /** How long it takes until another machine has such a piece, smoothed. */
  #usualS = 0
  #samples = 0

  /** The peer now has a piece, whether or not we have shown it. */
  peerHas(receiver: Receiver, piece: number, nowS: number): void {
    const gift = this.#gifts.get(piece)
    if (receiver.shown.has(piece)) {
      if (gift) this.#take(piece, gift)
      this.#gifts.set(piece, { receiver, atS: nowS })
      if (receiver.gifts++ === 0) receiver.passedOnAtS = nowS
      return
    }
    if (!gift || gift.receiver.machine === receiver.machine || receiver.choosesItself) return
    this.#take(piece, gift)
    this.#samples++
    this.#usualS = this.#usualS * 0.9 + (nowS - gift.atS) * 0.1
    gift.receiver.passedOnAtS = nowS
    gift.receiver.keepsAll = false
  }

  leave(receiver: Receiver): void {
    for (const [piece, gift] of this.#gifts) if (gift.receiver === receiver) this.#gifts.delete(piece)
  }

  /** Whether the peer has had pieces for long without passing on any. */
  isOverdue({ gifts, passedOnAtS }: Receiver, nowS: number): boolean {
    if (gifts === 0 || this.#samples < MIN_SAMPLES) return false
    return nowS - passedOnAtS > Math.max(MAX_KEPT_S, MAX_KEPT_TIMES * this.#usualS)
  }

  #take(piece: number, { receiver }: Gift): void {
    this.#gifts.delete(piece)
    receiver.gifts--
  }
}
