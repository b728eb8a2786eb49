/**
 * Converts times of another machine's clock to ours. An answer is given after we send the question and before we hear it. So the
 * difference of the two clocks lies between two bounds that are one round trip apart. Seconds.
 */
export class ClockMap {
  #least = Number.NEGATIVE_INFINITY
  #most = Number.POSITIVE_INFINITY

  /** At `ours` something was sent that it answered at `theirs`. */
  answered(ours: number, theirs: number): void {
    this.#least = Math.max(this.#least, ours - theirs)
  }

  /** At `ours` we heard what it said at `theirs`. */
  heard(ours: number, theirs: number): void {
    this.#most = Math.min(this.#most, ours - theirs)
  }

  get isKnown(): boolean {
    return Number.isFinite(this.#most) && this.#least <= this.#most
  }

  /**
   * Prefers the bound of what we heard, which comes soon after it was said. An answer may be late, because the agent was still
   * starting.
   */
  toOurs(theirs: number): number {
    return theirs + this.#most
  }

  /** By how much `toOurs` may be too late. */
  get errorS(): number {
    return this.#most - this.#least
  }
}
