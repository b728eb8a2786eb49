const WINDOW = 1

/** Counts content bytes in both directions; rates over about the last second. */
export class RateMeter {
  private totalIn = 0
  private totalOut = 0
  private fromSeeder = 0
  private mark = { at: 0, in: 0, out: 0 }
  private rates = { down: 0, up: 0 }

  received(bytes: number, fromSeeder: boolean): void {
    this.totalIn += bytes
    if (fromSeeder) this.fromSeeder += bytes
  }

  sent(bytes: number): void {
    this.totalOut += bytes
  }

  /** `now` in seconds. Rates are bytes a second. */
  read(now: number): { down: number; up: number; received: number; fromSeeder: number; sent: number } {
    const elapsed = now - this.mark.at
    if (elapsed >= WINDOW) {
      this.rates = {
        down: Math.round((this.totalIn - this.mark.in) / elapsed),
        up: Math.round((this.totalOut - this.mark.out) / elapsed),
      }
      this.mark = { at: now, in: this.totalIn, out: this.totalOut }
    }
    const { totalIn: received, totalOut: sent, fromSeeder } = this
    return { ...this.rates, received, fromSeeder, sent }
  }
}
