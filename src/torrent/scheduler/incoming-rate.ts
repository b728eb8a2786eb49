/** Time over which the rate is smoothed. */
const SMOOTHING_S = 1
/** Time in which the rate falls to a third when nothing comes. It is long, so that a pause does not look like a slow link. */
const DECAY_S = 5
/** A rate needs at least this time and so many arrivals. */
const MIN_TIME_S = 0.1
const MIN_ARRIVALS = 4

/**
 * Incoming bytes a second: known early, and slow to fall. After a stall, many bytes wait in the sockets and are read at once,
 * although they did not come faster. Smoothing over a second hides that.
 */
export class IncomingRate {
  /** 0 until there is enough to measure. */
  value = 0
  #smoothed = 0
  #startedAtS = 0
  #lastAtS = 0
  #arrivals = 0

  arrived(bytes: number, nowS: number): void {
    if (this.#arrivals++ === 0) this.#startedAtS = this.#lastAtS = nowS
    const elapsedS = nowS - this.#lastAtS
    this.#lastAtS = nowS
    this.#smoothed = this.#smoothed * Math.exp(-elapsedS / SMOOTHING_S) + bytes / SMOOTHING_S
    this.value *= Math.exp(-elapsedS / DECAY_S)
    const timeS = nowS - this.#startedAtS
    if (timeS < MIN_TIME_S || this.#arrivals < MIN_ARRIVALS) return
    this.value = Math.max(this.value, this.#smoothed / (1 - Math.exp(-timeS / SMOOTHING_S)))
  }
}
