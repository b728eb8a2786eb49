/** tmux tells a program of a new width up to 0.25 s late. */
const STEADY_MS = 300

/**
 * Says whether a terminal keeps its width. While somebody drags its edge it is already wider or narrower than a program knows, and
 * what is drawn then leaves lines behind.
 */
export class SteadyWidth {
  #columns: number | undefined
  #changedAt = Number.NEGATIVE_INFINITY

  /** Takes the width at `now`, in milliseconds. True if it has just changed. */
  changed(columns: number, now: number): boolean {
    const isNew = this.#columns !== undefined && columns !== this.#columns
    this.#columns = columns
    if (isNew) this.#changedAt = now
    return isNew
  }

  isSteady(now: number): boolean {
    return now - this.#changedAt >= STEADY_MS
  }
}
