/** The smallest block. The lengths of other blocks are multiples of it. */
export const UNIT_BYTES = 16 * 1024
const LARGEST_WINDOW_BYTES = 8 * 1024 * 1024
/** The window of a slow connection holds at most what the connection brings in this time. */
const MAX_QUEUE_S = 0.3
/** The window holds at least what comes in so many round trips: more than one, so that the rate can grow. */
const ROUND_TRIPS = 1.5

/**
 * How many bytes may be pending on one connection. All connections get the same share of what this peer can take, so that a
 * neighbour's uplink serves all its neighbours alike. A slow connection gets less, and a long one as much as fills it.
 */
export class RequestWindow {
  size = UNIT_BYTES
  /** From asking to getting a block, smoothed; 0 before the first answer. */
  latencyS = 0
  /** The least ever seen: a round trip without a queue. */
  #minLatencyS = Number.POSITIVE_INFINITY
  /** Smoothed bytes a second. */
  #rate = 0

  /** A block arrived `latencyS` after it was asked for. At that time `owedBytes` were pending, the block included. */
  answered(latencyS: number, owedBytes: number): void {
    const rate = owedBytes / Math.max(latencyS, 1e-6)
    this.latencyS = this.latencyS === 0 ? latencyS : this.latencyS * 0.75 + latencyS * 0.25
    this.#rate = this.#rate === 0 ? rate : this.#rate * 0.75 + rate * 0.25
    this.#minLatencyS = Math.min(this.#minLatencyS, latencyS)
  }

  /**
   * `share` is how many bytes a second each connection should bring, and `aheadS` for how long it should be asked in advance.
   * The window has at least `minBytes`, and at least one unit.
   */
  resize(share: number, aheadS: number, minBytes: number): void {
    const wanted =
      this.#rate === 0
        ? this.size
        : Math.min(
            share * Math.max(aheadS, ROUND_TRIPS * this.#minLatencyS),
            this.#rate * (this.#minLatencyS + MAX_QUEUE_S),
          )
    this.size = Math.min(LARGEST_WINDOW_BYTES, Math.max(UNIT_BYTES, minBytes, wanted))
  }

  /** The peer has stopped answering. */
  collapse(): void {
    this.size = 2 * UNIT_BYTES
    this.#rate = 0
  }

  /** Length of the blocks to ask for. Large blocks cost less, but several should fit the window. */
  blockLength(largest: number): number {
    let length = UNIT_BYTES
    while (length * 2 <= largest && length * 4 <= this.size) length *= 2
    return length
  }
}
