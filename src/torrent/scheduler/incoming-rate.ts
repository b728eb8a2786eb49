/** Seconds over which it is smoothed. */
const SMOOTH = 1
/** Seconds in which it falls to a third when nothing comes: a pause does not look like a slow link. */
const HELD = 5
/** The least time (seconds) that a rate can be told from, and the least arrivals. */
const LEAST_TIME = 0.1
const LEAST_COUNT = 4

/**
 * Bytes a second that come in: right from the start, and slow to fall. What a stalled process finds in its sockets afterwards came
 * in no faster: smoothed over a second it doesn't look so.
 */
export class IncomingRate {
  /** 0 until there is enough to tell it from. */
  value = 0
  #smooth = 0
  #since = 0
  #at = 0
  #count = 0

  arrived(bytes: number, now: number): void {
    if (this.#count++ === 0) this.#since = this.#at = now
    const elapsed = now - this.#at
    this.#at = now
    this.#smooth = this.#smooth * Math.exp(-elapsed / SMOOTH) + bytes / SMOOTH
    this.value *= Math.exp(-elapsed / HELD)
    const time = now - this.#since
    if (time < LEAST_TIME || this.#count < LEAST_COUNT) return
    this.value = Math.max(this.value, this.#smooth / (1 - Math.exp(-time / SMOOTH)))
  }
}
