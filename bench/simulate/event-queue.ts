/** What happens at its time: a function that was made once, and what it is about. No closure an event. */
export type Handler<T> = (about: T) => void

interface Pending {
  handler: Handler<unknown>
  about: unknown
}

/** Events of one delay come due in the order in which they were made: they need no heap. */
interface Lane {
  times: number[]
  pending: Pending[]
  first: number
}

/** A binary heap of events, in order of time and, at the same time, of arrival. Millions of events pass through it. */
export class EventQueue {
  now = 0
  private times = new Float64Array(1024)
  private orders = new Float64Array(1024)
  private pending: (Pending | undefined)[] = []
  private size = 0
  private count = 0
  private readonly lanes = new Map<number, Lane>()

  /** For delays of which there are few different ones. */
  afterUsual<T>(delay: number, handler: Handler<T>, about: T): void {
    let lane = this.lanes.get(delay)
    if (!lane) {
      lane = { times: [], pending: [], first: 0 }
      this.lanes.set(delay, lane)
    }
    lane.times.push(this.now + delay)
    lane.pending.push({ handler: handler as Handler<unknown>, about })
  }

  after<T>(delay: number, handler: Handler<T>, about: T): void {
    this.at(this.now + delay, handler, about)
  }

  at<T>(time: number, handler: Handler<T>, about: T): void {
    if (this.size === this.times.length) this.grow()
    const order = this.count++
    const { times, orders, pending } = this
    let at = this.size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((times[parent] as number) <= time) break
      times[at] = times[parent] as number
      orders[at] = orders[parent] as number
      pending[at] = pending[parent]
      at = parent
    }
    times[at] = time
    orders[at] = order
    pending[at] = { handler: handler as Handler<unknown>, about }
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const lane = this.soonestLane()
    if (lane && (this.size === 0 || (lane.times[lane.first] as number) < (this.times[0] as number))) {
      this.stepIn(lane)
      return true
    }
    if (this.size === 0) return false
    const { handler, about } = this.pending[0] as Pending
    this.now = this.times[0] as number
    this.size--
    const last = this.pending[this.size]
    this.pending[this.size] = undefined
    if (this.size > 0) this.sink(this.times[this.size] as number, this.orders[this.size] as number, last)
    handler(about)
    return true
  }

  private soonestLane(): Lane | undefined {
    let soonest: Lane | undefined
    let time = Number.POSITIVE_INFINITY
    for (const lane of this.lanes.values()) {
      const next = lane.times[lane.first]
      if (next === undefined || next >= time) continue
      soonest = lane
      time = next
    }
    return soonest
  }

  private stepIn(lane: Lane): void {
    const { handler, about } = lane.pending[lane.first] as Pending
    this.now = lane.times[lane.first] as number
    lane.first++
    if (lane.first > 4096 && lane.first * 2 > lane.times.length) {
      lane.times = lane.times.slice(lane.first)
      lane.pending = lane.pending.slice(lane.first)
      lane.first = 0
    }
    handler(about)
  }

  private sink(time: number, order: number, entry: Pending | undefined): void {
    const { times, orders, pending, size } = this
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= size) break
      if (child + 1 < size && this.isBefore(child + 1, times[child] as number, orders[child] as number))
        child++
      if (!this.isBefore(child, time, order)) break
      times[at] = times[child] as number
      orders[at] = orders[child] as number
      pending[at] = pending[child]
      at = child
    }
    times[at] = time
    orders[at] = order
    pending[at] = entry
  }

  private isBefore(at: number, time: number, order: number): boolean {
    const own = this.times[at] as number
    return own < time || (own === time && (this.orders[at] as number) < order)
  }

  private grow(): void {
    const times = new Float64Array(this.times.length * 2)
    times.set(this.times)
    const orders = new Float64Array(this.orders.length * 2)
    orders.set(this.orders)
    this.times = times
    this.orders = orders
  }
}
