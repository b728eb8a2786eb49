import type { Receiver } from './receiver.ts'

/** A peer from which nobody gets anything for so long, or for so many times what it usually takes, keeps all for itself. */
const MAX_KEPT_S = 0.5
const MAX_KEPT_TIMES = 8
/** Before so many pieces were passed on, nothing is usual: perhaps there is nobody yet to pass them on to. */
const MIN_SAMPLES = 8

interface Gift {
  receiver: Receiver
  atS: number
}

/**
 * Who passes on what it was given. A peer may not be able to: no other one reaches it, or all have banned its machine. That is
 * seen by what the others have: nobody's word on another peer is taken for it.
 */
export class PassingOn {
  /** Pieces that one peer has from us, and that no other machine has got since. */
  readonly #gifts = new Map<number, Gift>()
  /** How long it takes until another machine has such a piece, smoothed. */
  #usualS = 0
  #samples = 0

  /** The peer has a piece now, which we have shown it or not. */
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

  /** Whether the peer has had something to pass on for long, and has not. */
  isOverdue({ gifts, passedOnAtS }: Receiver, nowS: number): boolean {
    if (gifts === 0 || this.#samples < MIN_SAMPLES) return false
    return nowS - passedOnAtS > Math.max(MAX_KEPT_S, MAX_KEPT_TIMES * this.#usualS)
  }

  #take(piece: number, { receiver }: Gift): void {
    this.#gifts.delete(piece)
    receiver.gifts--
  }
}
