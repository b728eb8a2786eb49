/** The smallest block, and what lengths of blocks are multiples of. */
export const UNIT = 16 * 1024
/** Most bytes under way on one connection. */
const LARGEST = 8 * 1024 * 1024
const START = UNIT
/** A connection that brings less than the others gets no more than it brings in this time (seconds). */
const LONGEST = 0.3
/** Times the way there and back without a queue that is asked for in advance: more than once, so that it can grow. */
const TRANSITS = 1.5

/**
 * How much may be asked of one connection at a time, in bytes. All connections get the same share of what this peer can take,
 * so that no neighbour's uplink serves one more than another; a slow one gets less, and a long one what fills it.
 */
export class RequestWindow {
  size = START
  /** Smoothed seconds from asking to getting; 0 before the first answer. */
  latency = 0
  /** The least ever seen, seconds: the way there and back without a queue. */
  #least = Number.POSITIVE_INFINITY
  /** Smoothed bytes a second. */
  #rate = 0

  /** A block arrived `latency` seconds after it was asked for, when `underway` bytes were owed, itself included. */
  answered(latency: number, underway: number): void {
    const rate = underway / Math.max(latency, 1e-6)
    this.latency = this.latency === 0 ? latency : this.latency * 0.75 + latency * 0.25
    this.#rate = this.#rate === 0 ? rate : this.#rate * 0.75 + rate * 0.25
    this.#least = Math.min(this.#least, latency)
  }

  /**
   * `share` is how many bytes a second each connection should bring, `ahead` for how many seconds it should be asked, and
   * `least` the bytes that it may be asked for in any case, a unit if that is more.
   */
  resize(share: number, ahead: number, least: number): void {
    const wanted =
      this.#rate === 0
        ? this.size
        : Math.min(share * Math.max(ahead, TRANSITS * this.#least), this.#rate * (this.#least + LONGEST))
    this.size = Math.min(LARGEST, Math.max(UNIT, least, wanted))
  }

  collapse(): void {
    this.size = 2 * UNIT
    this.#rate = 0
  }

  /** Length of the blocks to ask for: large ones cost less, but several should fit the window. */
  blockLength(largest: number): number {
    let length = UNIT
    while (length * 2 <= largest && length * 4 <= this.size) length *= 2
    return length
  }
}
