import { awakeSeconds } from './awake.ts'

/** Tolerance, because two clocks never agree exactly. */
const CLOCK_ERROR_S = 0.1

/** A timeout that does not count time in which this process was suspended. */
export class AwakeTimer {
  readonly #seconds: number
  readonly #expire: () => void
  #since: number
  #timer: NodeJS.Timeout

  constructor(seconds: number, expire: () => void) {
    this.#seconds = seconds
    this.#expire = expire
    this.#since = awakeSeconds()
    this.#timer = this.#arm(seconds)
  }

  /** Starts again from zero. Does nothing after it has expired or was stopped. */
  refresh(): void {
    this.#since = awakeSeconds()
    this.#timer.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #arm(left: number): NodeJS.Timeout {
    return setTimeout(() => {
      const rest = this.#seconds - (awakeSeconds() - this.#since)
      if (rest > CLOCK_ERROR_S) this.#timer = this.#arm(rest)
      else this.#expire()
    }, left * 1000)
  }
}
