/** How often the clock looks whether the answer is there. */
const TURN_MS = 5

/**
 * Measures how long a connection takes to be made: a round trip, which the other side's system answers by itself. A busy process
 * notices the answer late, so the time until then is an upper bound. The lower bound is the time during which this process looked
 * again and again and found no answer. So a near neighbour of a busy machine is never taken for a far one.
 */
export class RoundTripClock {
  readonly #nowMs: () => number
  readonly #startedAtMs: number
  readonly #timer: NodeJS.Timeout
  #firstTurnAtMs: number | undefined
  #turnBeforeAtMs = 0
  #lastTurnAtMs = 0

  constructor(nowMs = () => performance.now()) {
    this.#nowMs = nowMs
    this.#startedAtMs = nowMs()
    this.#timer = setInterval(() => this.#turn(), TURN_MS)
  }

  /** Call it when the connection is there, or will not be. */
  stop(): { mostS: number; leastS: number } {
    clearInterval(this.#timer)
    const leastMs = this.#firstTurnAtMs === undefined ? 0 : this.#turnBeforeAtMs - this.#firstTurnAtMs
    return { mostS: (this.#nowMs() - this.#startedAtMs) / 1000, leastS: Math.max(0, leastMs) / 1000 }
  }

  /** An answer that was there at the turn before would be known by now: between two turns Node asks the system. */
  #turn(): void {
    this.#turnBeforeAtMs = this.#lastTurnAtMs
    this.#lastTurnAtMs = this.#nowMs()
    this.#firstTurnAtMs ??= this.#lastTurnAtMs
  }
}
