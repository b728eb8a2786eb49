import type { EventQueue } from './event-queue.ts'

/** Bytes that one flow sends before the next one has its turn: about what TCP flows on one link do. */
const QUANTUM = 16 * 1024

/** A block on its way from one server to another. */
export interface Transfer {
  /** Number of the receiver: each receiver is a flow of the sender's link. */
  to: number
  left: number
}

/** A server's way out: `rate` bytes a second, shared fairly by its flows (round robin). */
export class Uplink<T extends Transfer> {
  bytes = 0
  readonly #flows = new Map<number, T[]>()
  readonly #turns: number[] = []
  /** What is being sent, and how much of it in this turn. */
  #current: T | undefined
  #quantum = 0
  #extra = 0
  readonly #queue: EventQueue
  readonly #rate: number
  readonly #onSent: (transfer: T, bytes: number) => void

  /** `onSent` is called for every quantum, after `left` has gone down. */
  constructor(queue: EventQueue, rate: number, onSent: (transfer: T, bytes: number) => void) {
    this.#queue = queue
    this.#rate = rate
    this.#onSent = onSent
  }

  send(transfer: T): void {
    const waiting = this.#flows.get(transfer.to)
    if (waiting) waiting.push(transfer)
    else {
      this.#flows.set(transfer.to, [transfer])
      this.#turns.push(transfer.to)
    }
    if (!this.#current) this.#serve()
  }

  /** Small messages, which go at once and make everything else a little later. */
  spend(bytes: number): void {
    this.#extra += bytes
  }

  /** Takes a transfer back, if nothing of it was sent. */
  cancel(to: number, isIt: (transfer: T) => boolean): void {
    const waiting = this.#flows.get(to)
    const at = waiting?.findIndex((transfer, index) => index > 0 && isIt(transfer)) ?? -1
    if (at > 0) waiting?.splice(at, 1)
  }

  /** The other end is gone: TCP sends nothing more to it. */
  drop(to: number): void {
    this.#flows.get(to)?.splice(1)
  }

  #serve(): void {
    const flow = this.#turns.shift()
    this.#current = flow === undefined ? undefined : this.#flows.get(flow)?.[0]
    if (!this.#current) return
    this.#quantum = Math.min(QUANTUM, this.#current.left)
    const spent = this.#quantum + this.#extra
    this.#extra = 0
    this.#queue.after(spent / this.#rate, endTurn, this)
  }

  endTurn(): void {
    const transfer = this.#current as T
    const waiting = this.#flows.get(transfer.to) as T[]
    transfer.left -= this.#quantum
    this.bytes += this.#quantum
    if (transfer.left === 0) waiting.shift()
    if (waiting.length === 0) this.#flows.delete(transfer.to)
    else this.#turns.push(transfer.to)
    this.#onSent(transfer, this.#quantum)
    this.#serve()
  }
}

const endTurn = (uplink: { endTurn(): void }) => uplink.endTurn()

/** A server's way in: `rate` bytes a second, first come, first served, as the last router before it does. */
export class Downlink {
  #freeAt = 0
  readonly #rate: number

  constructor(rate: number) {
    this.#rate = rate
  }

  /** When bytes that reach the link at `time` have passed it. Call in order of time. */
  pass(bytes: number, time: number): number {
    this.#freeAt = Math.max(this.#freeAt, time) + bytes / this.#rate
    return this.#freeAt
  }
}
