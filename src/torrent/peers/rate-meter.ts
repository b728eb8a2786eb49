const WINDOW = 1

/** Counts content bytes in both directions; rates over about the last second. */
export class RateMeter {
  #totalIn = 0
  #totalOut = 0
  #fromSeeder = 0
  #mark = { at: 0, in: 0, out: 0 }
  #rates = { down: 0, up: 0 }

  received(bytes: number, fromSeeder: boolean): void {
    this.#totalIn += bytes
    if (fromSeeder) this.#fromSeeder += bytes
  }

  sent(bytes: number): void {
    this.#totalOut += bytes
  }

  /** `now` in seconds. Rates are bytes a second. */
  read(now: number): { down: number; up: number; received: number; fromSeeder: number; sent: number } {
    const elapsed = now - this.#mark.at
    if (elapsed >= WINDOW) {
      this.#rates = {
        down: Math.round((this.#totalIn - this.#mark.in) / elapsed),
        up: Math.round((this.#totalOut - this.#mark.out) / elapsed),
      }
      this.#mark = { at: now, in: this.#totalIn, out: this.#totalOut }
    }
    return {
      ...this.#rates,
      received: this.#totalIn,
      fromSeeder: this.#fromSeeder,
      sent: this.#totalOut,
    }
  }
}
