import { awakeSeconds } from '../../../system/awake.ts'

/** An agent says something each second. */
const LONG_S = 2.5

/** Whether an agent that has been heard has said nothing for long. That decides nothing: it may be back. */
export class Silence {
  readonly #now: () => number
  #heardS = Number.POSITIVE_INFINITY

  /** `now`: seconds. */
  constructor(now = awakeSeconds) {
    this.#now = now
  }

  heard(): void {
    this.#heardS = this.#now()
  }

  get isLong(): boolean {
    return this.#now() - this.#heardS >= LONG_S
  }
}
