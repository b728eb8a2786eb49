import { awakeSeconds } from '../../../system/awake.ts'
import { AwakeTimer } from '../../../system/awake-timer.ts'
import type { Route } from './route.ts'

/** Tolerance between our clock and ssh's. */
const CLOCK_ERROR_S = 0.1

/** Expires when ssh has had its time for each address that it tries. The number of addresses is looked up only when needed. */
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
   * ssh has the same limit and may report it first. Gives the route with the number of addresses whose time is over. Undefined
   * when there is none: then ssh means another limit, such as the system's.
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
