/** A binary heap of things to do, in order of time and, at the same time, of arrival. */
export class EventQueue {
  now = 0
  private readonly times: number[] = []
  private readonly orders: number[] = []
  private readonly actions: (() => void)[] = []
  private count = 0

  after(delay: number, action: () => void): void {
    let at = this.times.length
    const time = this.now + delay
    const order = this.count++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(time, order, this.times[parent] as number, this.orders[parent] as number)) break
      this.move(parent, at)
      at = parent
    }
    this.put(at, time, order, action)
  }

  /** Runs the next action; false when there is none. */
  step(): boolean {
    const action = this.actions[0]
    if (!action) return false
    this.now = this.times[0] as number
    const time = this.times.pop() as number
    const order = this.orders.pop() as number
    const last = this.actions.pop() as () => void
    if (this.times.length > 0) this.sink(time, order, last)
    action()
    return true
  }

  private sink(time: number, order: number, action: () => void): void {
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= this.times.length) break
      const right = child + 1
      if (right < this.times.length && this.isBefore(right, child)) child = right
      if (!before(this.times[child] as number, this.orders[child] as number, time, order)) break
      this.move(child, at)
      at = child
    }
    this.put(at, time, order, action)
  }

  private isBefore(a: number, b: number): boolean {
    return before(
      this.times[a] as number,
      this.orders[a] as number,
      this.times[b] as number,
      this.orders[b] as number,
    )
  }

  private move(from: number, to: number): void {
    this.put(to, this.times[from] as number, this.orders[from] as number, this.actions[from] as () => void)
  }

  private put(at: number, time: number, order: number, action: () => void): void {
    this.times[at] = time
    this.orders[at] = order
    this.actions[at] = action
  }
}

function before(timeA: number, orderA: number, timeB: number, orderB: number): boolean {
  return timeA < timeB || (timeA === timeB && orderA < orderB)
}
