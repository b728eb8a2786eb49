/** The bucket holds the bytes of this time, and not more, so that no link sees a burst. */
const MAX_BURST_S = 0.25
/**
 * What a link carries for each byte of content. It is up to 1.046 where every 1,448 bytes get 66 of Ethernet, IP and TCP, and
 * nearly 1 where whole bursts are counted (virtual links). The middle keeps both within 2.5 % of the limit.
 */
const LINK_OVERHEAD = 1.023
const SMALLEST_BLOCK_BYTES = 16 * 1024
/** At the limit, a block should not take longer than this. Otherwise the content would come in jerks. */
const MAX_BLOCK_TIME_S = 0.1

/** A token bucket in bytes on the link, empty at first. `rate` is bytes a second; 0 is no limit. */
export class RateLimit {
  #rate: number
  #tokens = 0
  #filledAtS: number

  constructor(rate: number, nowS: number) {
    this.#rate = rate
    this.#filledAtS = nowS
  }

  /** Bytes a second from now on; 0 is no limit. */
  set rate(rate: number) {
    this.#rate = rate
  }

  /** Content bytes that may be sent now. One block may overdraw it; that is paid back before the next one. */
  available(nowS: number): number {
    if (this.#rate === 0) return Number.POSITIVE_INFINITY
    this.#tokens = Math.min(this.#rate * MAX_BURST_S, this.#tokens + (nowS - this.#filledAtS) * this.#rate)
    this.#filledAtS = nowS
    return this.#tokens / LINK_OVERHEAD
  }

  /** Takes so many content bytes from the bucket. */
  take(bytes: number): void {
    if (this.#rate > 0) this.#tokens -= bytes * LINK_OVERHEAD
  }
}

/** The longest block, a power of two, that passes a limit of `rate` bytes a second without jerks. */
export function smoothBlock(rate: number, largest: number): number {
  if (rate === 0) return largest
  let length = SMALLEST_BLOCK_BYTES
  while (length * 2 <= Math.min(largest, rate * MAX_BLOCK_TIME_S)) length *= 2
  return length
}
