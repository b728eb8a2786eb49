/**
 * How much may be asked of one connection at a time. A window in bytes that grows while answers come quickly and
 * shrinks while they queue, so that about `TARGET` seconds of data are under way whatever the link
 * (delay-based control, as in LEDBAT, RFC 6817): too little leaves the link idle, too much makes a long tail.
 */
export const UNIT = 16 * 1024

/** Seconds of queueing, beyond the way there and back, that the window aims at: several hiccups of a busy machine. */
const TARGET = 0.1
const SHRINK = 0.8
/** Most bytes under way on one connection. */
export const LARGEST = 8 * 1024 * 1024

export class RequestWindow {
  /** Bytes that may be under way. */
  size: number
  /** Smoothed seconds from asking to getting; 0 before the first answer. */
  latency = 0
  /** The least ever seen, seconds: the way there and back without a queue. */
  private least = Number.POSITIVE_INFINITY
  private shrunkAt = Number.NEGATIVE_INFINITY
  private readonly smallest: number
  private readonly largest: number

  /** Bytes: where the window starts, and how far it goes. */
  constructor(start = 4 * UNIT, smallest = 2 * UNIT, largest = LARGEST) {
    this.size = start
    this.smallest = smallest
    this.largest = largest
  }

  /** A block of `bytes` arrived `latency` seconds after it was asked for. */
  answered(bytes: number, latency: number, now: number): void {
    this.latency = this.latency === 0 ? latency : this.latency * 0.75 + latency * 0.25
    this.least = Math.min(this.least, latency)
    const queueing = latency - this.least
    if (queueing < TARGET) {
      this.size = Math.min(this.largest, this.size + bytes)
    } else if (queueing > 2 * TARGET && now - this.shrunkAt > latency) {
      this.size = Math.max(this.smallest, this.size * SHRINK)
      this.shrunkAt = now
    }
  }

  collapse(): void {
    this.size = this.smallest
  }

  /** Length of the blocks to ask for: large ones cost less, but several should fit the window. */
  blockLength(largest: number): number {
    let length = UNIT
    while (length * 2 <= largest && length * 4 <= this.size) length *= 2
    return length
  }
}
