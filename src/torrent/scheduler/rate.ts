const INTERVAL = 0.1
const KEEP = 0.98

/** Bytes a second that come in: quick to grow and slow to fall (by half in three seconds), so that a pause does not look like a slow link. */
export class IncomingRate {
  value = 0
  private bytes = 0
  private since = 0

  arrived(bytes: number, now: number): void {
    this.bytes += bytes
    const elapsed = now - this.since
    if (elapsed < INTERVAL) return
    // After a pause the interval is not one of receiving only.
    const rate = this.bytes / Math.min(elapsed, 2 * INTERVAL)
    this.value = Math.max(rate, this.value * KEEP + rate * (1 - KEEP))
    this.bytes = 0
    this.since = now
  }
}
