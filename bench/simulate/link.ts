import type { EventQueue } from './event-queue.ts'

/** A flow sends so much before the next one may send: about what TCP flows on one link do. */
const QUANTUM_BYTES = 16 * 1024

/** A block on its way from one server to another. */
export interface Transfer {
  /** Number of the receiver: each receiver is a flow of the sender's link. */
  to: number
  left: number
}

/** A server's uplink of `rate` bytes a second, shared fairly by its flows (round robin). */
export class Uplink<T extends Transfer> {
  bytes = 0
  readonly #flows = new Map<number, T[]>()
  readonly #waitingFlows: number[] = []
  /** Is being sent. */
  #current: T | undefined
  /** Bytes of `#current` that are being sent before the next flow may send. */
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
      this.#waitingFlows.push(transfer.to)
    }
    if (!this.#current) this.#serve()
  }

  /** Small messages. They leave at once and delay everything else a little. */
  spend(bytes: number): void {
    this.#extra += bytes
  }

  /** Cancels a transfer of which nothing was sent yet. */
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
    const flow = this.#waitingFlows.shift()
    this.#current = flow === undefined ? undefined : this.#flows.get(flow)?.[0]
    if (!this.#current) return
    this.#quantum = Math.min(QUANTUM_BYTES, this.#current.left)
    const spent = this.#quantum + this.#extra
    this.#extra = 0
    this.#queue.after(spent / this.#rate, endQuantum, this)
  }

  endQuantum(): void {
    const transfer = this.#current as T
    const waiting = this.#flows.get(transfer.to) as T[]
    transfer.left -= this.#quantum
    this.bytes += this.#quantum
    if (transfer.left === 0) waiting.shift()
    if (waiting.length === 0) this.#flows.delete(transfer.to)
    else this.#waitingFlows.push(transfer.to)
    this.#onSent(transfer, this.#quantum)
    this.#serve()
  }
}

const endQuantum = (uplink: { endQuantum(): void }) => uplink.endQuantum()

/** A server's downlink of `rate` bytes a second. First come, first served, as in the last router before the server. */
export class Downlink {
  #freeAt = 0
  readonly #rate: number

  constructor(rate: number) {
    this.#rate = rate
  }

  /** The time when bytes have passed the link that reach it at `time`. Must be called in order of time. */
  pass(bytes: number, time: number): number {
    this.#freeAt = Math.max(this.#freeAt, time) + bytes / this.#rate
    return this.#freeAt
  }
}

/** The long links of a site, one for each way, and what they carried. All of its servers share them. */
export class SiteLinks {
  readonly out: Downlink
  readonly into: Downlink
  outBytes = 0
  inBytes = 0

  constructor(rate: number) {
    this.out = new Downlink(rate)
    this.into = new Downlink(rate)
  }
}
