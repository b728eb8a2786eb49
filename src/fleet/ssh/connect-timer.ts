import type { Route } from './route.ts'

/** Expires when ssh has had its time for each address that it tries. How many there are is asked only when that matters. */
export class ConnectTimer {
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  /** 0 seconds are no limit. `route` must not reject. */
  constructor(seconds: number, route: () => Promise<Route>, expire: (route: Route) => void) {
    if (seconds <= 0) return
    this.#timer = setTimeout(async () => {
      const found = await route()
      if (this.#stopped) return
      const more = (found.turns - 1) * seconds
      if (more === 0) expire(found)
      else this.#timer = setTimeout(() => expire(found), more * 1000)
    }, seconds * 1000)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }
}
