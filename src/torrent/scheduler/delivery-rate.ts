/** A highest rate counts for at least this time, and at most for twice as long. */
const REMEMBERED_S = 3

/** The progress of a delivery at one moment. */
export interface DeliveryMark {
  bytes: number
  atS: number
}

/**
 * The highest delivery rate over some seconds: what a path carries when nothing is lost. Each sample spans the time from a
 * request to its answer, as in BBR. So a pause for a lost packet and the burst after it are in the same sample, and neither
 * counts alone.
 */
export class DeliveryRate {
  bytes = 0
  /** The highest rates of this half of the window and of the one before. */
  #highest = 0
  #highestBefore = 0
  #halfSinceS = 0

  /** Bytes a second; 0 until there is an answer. */
  get highest(): number {
    return Math.max(this.#highest, this.#highestBefore)
  }

  /** To be kept with a request, for `arrived`. */
  mark(nowS: number): DeliveryMark {
    return { bytes: this.bytes, atS: nowS }
  }

  /** Returns the rate since the request was made. */
  arrived(bytes: number, asked: DeliveryMark, nowS: number): number {
    this.bytes += bytes
    const rate = (this.bytes - asked.bytes) / Math.max(nowS - asked.atS, 1e-6)
    if (nowS - this.#halfSinceS > REMEMBERED_S) {
      this.#highestBefore = this.#highest
      this.#highest = 0
      this.#halfSinceS = nowS
    }
    this.#highest = Math.max(this.#highest, rate)
    return rate
  }

  forget(): void {
    this.#highest = this.#highestBefore = 0
  }
}
