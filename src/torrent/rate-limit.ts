/** Seconds of the rate that may be saved up: short, so that no link sees a burst. */
const BURST = 0.25

/** A token bucket in bytes. `rate` is bytes a second; 0 is no limit. */
export class RateLimit {
  private readonly rate: number
  private tokens: number
  private filledAt: number

  constructor(rate: number, now: number) {
    this.rate = rate
    this.tokens = rate * BURST
    this.filledAt = now
  }

  /** Bytes that may go now; may be overdrawn by one block, which is paid back before the next. */
  available(now: number): number {
    if (this.rate === 0) return Number.POSITIVE_INFINITY
    this.tokens = Math.min(this.rate * BURST, this.tokens + (now - this.filledAt) * this.rate)
    this.filledAt = now
    return this.tokens
  }

  take(bytes: number): void {
    if (this.rate > 0) this.tokens -= bytes
  }
}
