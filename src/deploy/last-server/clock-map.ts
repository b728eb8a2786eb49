/**
 * Puts times of another machine's clock on ours. What it says has been said before we hear it, and after we have sent what it
 * answers: so the two clocks differ by something between these bounds, which are a round trip apart. Seconds.
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

  /** What is heard comes soon after it is said; an answer may be late, because it was still starting. */
  toOurs(theirs: number): number {
    return theirs + this.#most
  }

  /** By how much `toOurs` may be too late. */
  get errorS(): number {
    return this.#most - this.#least
  }
}
