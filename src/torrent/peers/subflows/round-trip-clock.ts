/** How often the clock checks for the answer. */
const TURN_MS = 5

/**
 * Measures how long connecting takes: one round trip, which the other side's kernel answers. A busy process notices the answer
 * late, so that time is an upper bound. The lower bound is the time during which this process kept checking and found no answer.
 * So a near neighbour on a busy machine is never taken for a far one.
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

  /** Call it when the connection is made or has failed. */
  stop(): { mostS: number; leastS: number } {
    clearInterval(this.#timer)
    const leastMs = this.#firstTurnAtMs === undefined ? 0 : this.#turnBeforeAtMs - this.#firstTurnAtMs
    return { mostS: (this.#nowMs() - this.#startedAtMs) / 1000, leastS: Math.max(0, leastMs) / 1000 }
  }

  /** Node polls the system between two turns, so an answer that was there at the turn before would be known by now. */
  #turn(): void {
    this.#turnBeforeAtMs = this.#lastTurnAtMs
    this.#lastTurnAtMs = this.#nowMs()
    this.#firstTurnAtMs ??= this.#lastTurnAtMs
  }
}
