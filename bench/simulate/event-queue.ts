/** Is called at the time of an event, with the object of the event: so not each event needs a closure. */
export type Handler<T> = (about: T) => void

/** Events with the same delay are due in the order in which they were added: they need no heap. */
class Lane {
  readonly delay: number
  times: number[] = []
  handlers: Handler<unknown>[] = []
  abouts: unknown[] = []
  first = 0

  constructor(delay: number) {
    this.delay = delay
  }

  /** Forgets past events when they are most of the lane. */
  tidy(): void {
    if (this.first < 4096 || this.first * 2 < this.times.length) return
    this.times = this.times.slice(this.first)
    this.handlers = this.handlers.slice(this.first)
    this.abouts = this.abouts.slice(this.first)
    this.first = 0
  }
}

/**
 * A binary heap of events, in order of time and, for the same time, of arrival. Tens of millions of events pass through it. So
 * each field of the events has an array of its own, and no object is made for an event.
 */
export class EventQueue {
  now = 0
  #times = new Float64Array(1024)
  #orders = new Float64Array(1024)
  readonly #handlers: Handler<unknown>[] = []
  readonly #abouts: unknown[] = []
  #size = 0
  #count = 0
  readonly #lanes: Lane[] = []

  /** For delays that are the same for many events: there are few of them. */
  afterUsual<T>(delay: number, handler: Handler<T>, about: T): void {
    const lane = this.#laneOf(delay)
    lane.times.push(this.now + delay)
    lane.handlers.push(handler as Handler<unknown>)
    lane.abouts.push(about)
  }

  #laneOf(delay: number): Lane {
    for (const lane of this.#lanes) if (lane.delay === delay) return lane
    const lane = new Lane(delay)
    this.#lanes.push(lane)
    return lane
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
    for (const lane of this.#lanes) {
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

  /** The entry at `from`, behind the last one, replaces the first one and sinks to its place. */
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
