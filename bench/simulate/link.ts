import type { EventQueue } from './event-queue.ts'

/** Bytes that one flow sends before the next one has its turn: about what TCP flows on one link do. */
const QUANTUM = 16 * 1024

interface Transfer {
  left: number
  done: () => void
}

/** One direction of a server's link: `rate` bytes a second, shared fairly by its flows (round robin). */
export class Link {
  bytes = 0
  private readonly flows = new Map<number, Transfer[]>()
  private readonly turns: number[] = []
  private busy = false
  private readonly queue: EventQueue
  private readonly rate: number

  constructor(queue: EventQueue, rate: number) {
    this.queue = queue
    this.rate = rate
  }

  /** `done` is called when the last of the bytes has passed. */
  send(flow: number, bytes: number, done: () => void): void {
    const waiting = this.flows.get(flow)
    if (waiting) waiting.push({ left: bytes, done })
    else {
      this.flows.set(flow, [{ left: bytes, done }])
      this.turns.push(flow)
    }
    if (!this.busy) this.serve()
  }

  private serve(): void {
    const flow = this.turns.shift()
    const waiting = flow === undefined ? undefined : this.flows.get(flow)
    const transfer = waiting?.[0]
    if (flow === undefined || !waiting || !transfer) {
      this.busy = false
      return
    }
    this.busy = true
    const bytes = Math.min(QUANTUM, transfer.left)
    transfer.left -= bytes
    this.bytes += bytes
    if (transfer.left === 0) waiting.shift()
    if (waiting.length === 0) this.flows.delete(flow)
    else this.turns.push(flow)
    this.queue.after(bytes / this.rate, () => {
      if (transfer.left === 0) transfer.done()
      this.serve()
    })
  }
}
