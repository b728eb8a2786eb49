/** Seconds of the rate that may be saved up: short, so that no link sees a burst. */
const BURST = 0.25
/**
 * What a link carries beyond content: up to 4.6 % where every 1,448 bytes get 66 of Ethernet, IP and TCP, and nearly nothing
 * where whole bursts are counted (virtual links). In the middle, so that both are within 2.5 % of the limit.
 */
const OVERHEAD = 1.023
const SMALLEST_BLOCK = 16 * 1024
/** Seconds that one block may take at the limit: longer ones would come in jerks. */
const BLOCK_TIME = 0.1

/** A token bucket in bytes on the link. `rate` is bytes a second; 0 is no limit. Empty at first. */
export class RateLimit {
  readonly #rate: number
  #tokens = 0
  #filledAt: number

  constructor(rate: number, now: number) {
    this.#rate = rate
    this.#filledAt = now
  }

  /** Content bytes that may go now; may be overdrawn by one block, which is paid back before the next. */
  available(now: number): number {
    if (this.#rate === 0) return Number.POSITIVE_INFINITY
    this.#tokens = Math.min(this.#rate * BURST, this.#tokens + (now - this.#filledAt) * this.#rate)
    this.#filledAt = now
    return this.#tokens / OVERHEAD
  }

  /** Bytes of content that go. */
  take(bytes: number): void {
    if (this.#rate > 0) this.#tokens -= bytes * OVERHEAD
  }
}

/** The longest block that passes a limit smoothly: a power of two. */
export function smoothBlock(rate: number, largest: number): number {
  if (rate === 0) return largest
  let length = SMALLEST_BLOCK
  while (length * 2 <= Math.min(largest, rate * BLOCK_TIME)) length *= 2
  return length
}
