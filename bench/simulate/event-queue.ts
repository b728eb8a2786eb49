/** What happens at its time: a function that was made once, and what it is about. No closure an event. */
export type Handler<T> = (about: T) => void

/** Events of one delay come due in the order in which they were made: they need no heap. */
class Lane {
  times: number[] = []
  handlers: Handler<unknown>[] = []
  abouts: unknown[] = []
  first = 0

  /** Forgets what has happened, when that is most of it. */
  tidy(): void {
    if (this.first < 4096 || this.first * 2 < this.times.length) return
    this.times = this.times.slice(this.first)
    this.handlers = this.handlers.slice(this.first)
    this.abouts = this.abouts.slice(this.first)
    this.first = 0
  }
}

/**
 * A binary heap of events, in order of time and, at the same time, of arrival. Tens of millions of events pass through it: what
 * an event is made of lies in arrays of its own, so that no object is made for each.
 */
export class EventQueue {
  now = 0
  #times = new Float64Array(1024)
  #orders = new Float64Array(1024)
  readonly #handlers: Handler<unknown>[] = []
  readonly #abouts: unknown[] = []
  #size = 0
  #count = 0
  readonly #lanes = new Map<number, Lane>()

  /** For delays of which there are few different ones. */
  afterUsual<T>(delay: number, handler: Handler<T>, about: T): void {
    let lane = this.#lanes.get(delay)
    if (!lane) {
      lane = new Lane()
      this.#lanes.set(delay, lane)
    }
    lane.times.push(this.now + delay)
    lane.handlers.push(handler as Handler<unknown>)
    lane.abouts.push(about)
  }

  after<T>(delay: number, handler: Handler<T>, about: T): void {
    this.at(this.now + delay, handler, about)
  }

  at<T>(time: number, handler: Handler<T>, about: T): void {
    if (this.#size === this.#times.length) this.#grow()
    const order = this.#count++
    let at = this.#size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((this.#times[parent] as number) <= time) break
      this.#move(parent, at)
      at = parent
    }
    this.#put(at, time, order, handler as Handler<unknown>, about)
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const lane = this.#soonestLane()
    if (lane && (this.#size === 0 || (lane.times[lane.first] as number) < (this.#times[0] as number))) {
      this.#stepIn(lane)
      return true
    }
    if (this.#size === 0) return false
    const handler = this.#handlers[0] as Handler<unknown>
    const about = this.#abouts[0]
    this.now = this.#times[0] as number
    this.#size--
    if (this.#size > 0) this.#sink(this.#size)
    this.#abouts[this.#size] = undefined
    handler(about)
    return true
  }

  #soonestLane(): Lane | undefined {
    let soonest: Lane | undefined
    let time = Number.POSITIVE_INFINITY
    for (const lane of this.#lanes.values()) {
      const next = lane.times[lane.first]
      if (next === undefined || next >= time) continue
      soonest = lane
      time = next
    }
    return soonest
  }

  #stepIn(lane: Lane): void {
    const handler = lane.handlers[lane.first] as Handler<unknown>
    const about = lane.abouts[lane.first]
    this.now = lane.times[lane.first] as number
    lane.abouts[lane.first] = undefined
    lane.first++
    lane.tidy()
    handler(about)
  }

  /** The entry at `from`, which is behind the last one, takes the place of the first one and finds its own. */
  #sink(from: number): void {
    const times = this.#times
    const orders = this.#orders
    const size = this.#size
    const time = times[from] as number
    const order = orders[from] as number
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= size) break
      if (child + 1 < size && this.#isBefore(child + 1, times[child] as number, orders[child] as number))
        child++
      if (!this.#isBefore(child, time, order)) break
      this.#move(child, at)
      at = child
    }
    this.#put(at, time, order, this.#handlers[from] as Handler<unknown>, this.#abouts[from])
  }

  #isBefore(at: number, time: number, order: number): boolean {
    const own = this.#times[at] as number
    return own < time || (own === time && (this.#orders[at] as number) < order)
  }

  #move(from: number, to: number): void {
    this.#put(
      to,
      this.#times[from] as number,
      this.#orders[from] as number,
      this.#handlers[from] as Handler<unknown>,
      this.#abouts[from],
    )
  }

  #put(at: number, time: number, order: number, handler: Handler<unknown>, about: unknown): void {
    this.#times[at] = time
    this.#orders[at] = order
    this.#handlers[at] = handler
    this.#abouts[at] = about
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2)
    times.set(this.#times)
    const orders = new Float64Array(this.#orders.length * 2)
    orders.set(this.#orders)
    this.#times = times
    this.#orders = orders
  }
}
