import { awakeSeconds } from '../../../system/awake.ts'
import { AwakeTimer } from '../../../system/awake-timer.ts'
import type { Route } from './route.ts'

/** Two clocks never agree exactly, and ssh's is another. */
const CLOCK_ERROR_S = 0.1

/** Expires when ssh has had its time for each address that it tries. How many there are is asked only when that matters. */
export class ConnectTimer {
  readonly #seconds: number
  readonly #route: () => Promise<Route>
  readonly #begun = awakeSeconds()
  #timer: AwakeTimer | undefined
  #stopped = false

  /** 0 seconds are no limit. `route` must not reject. */
  constructor(seconds: number, route: () => Promise<Route>, expire: (route: Route) => void) {
    this.#seconds = seconds
    this.#route = route
    if (seconds <= 0) return
    this.#timer = new AwakeTimer(seconds, async () => {
      const found = await route()
      if (this.#stopped) return
      const more = (found.turns - 1) * seconds
      if (more === 0) expire(found)
      else this.#timer = new AwakeTimer(more, () => expire(found))
    })
  }

  /**
   * For when ssh notices first, which has the same limit: the addresses that have had their time. Undefined when none has had
   * all of it: then it is another limit that ssh means, such as the system's own.
   */
  async spent(): Promise<Route | undefined> {
    const turns = Math.floor((awakeSeconds() - this.#begun + CLOCK_ERROR_S) / this.#seconds)
    if (this.#seconds <= 0 || turns < 1) return undefined
    const route = await this.#route()
    return { ...route, turns: Math.min(turns, route.turns) }
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
  }
}
