/**
 * How much may be asked of one connection at a time. A window in bytes that grows while answers come quickly and
 * shrinks while they queue, so that about `TARGET` seconds of data are under way whatever the link
 * (delay-based control, as in LEDBAT, RFC 6817): too little leaves the link idle, too much makes a long tail.
 */
export const UNIT = 16 * 1024

/** Seconds of queueing, beyond the way there and back, that the window aims at: several hiccups of a busy machine. */
const TARGET = 0.1
const SMALLEST = 2 * UNIT
const LARGEST = 8 * 1024 * 1024

export class RequestWindow {
  /** Bytes that may be under way. */
  size: number = 4 * UNIT
  /** Smoothed seconds from asking to getting; 0 before the first answer. */
  latency = 0
  /** The least ever seen, seconds: the way there and back without a queue. */
  private least = Number.POSITIVE_INFINITY
  private shrunkAt = Number.NEGATIVE_INFINITY

  /** A block of `bytes` arrived `latency` seconds after it was asked for. */
  answered(bytes: number, latency: number, now: number): void {
    this.latency = this.latency === 0 ? latency : this.latency * 0.75 + latency * 0.25
    this.least = Math.min(this.least, latency)
    const queueing = latency - this.least
    if (queueing < TARGET) {
      this.size = Math.min(LARGEST, this.size + bytes)
    } else if (queueing > 2 * TARGET && now - this.shrunkAt > latency) {
      this.size = Math.max(SMALLEST, this.size * 0.8)
      this.shrunkAt = now
    }
  }

  collapse(): void {
    this.size = SMALLEST
  }

  /** Length of the blocks to ask for: large ones cost less, but several should fit the window. */
  blockLength(largest: number): number {
    let length = UNIT
    while (length * 2 <= largest && length * 4 <= this.size) length *= 2
    return length
  }
}
