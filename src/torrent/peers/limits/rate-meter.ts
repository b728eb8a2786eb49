const WINDOW_S = 1

/** Counts content bytes in both directions, and measures rates over about the last second. */
export class RateMeter {
  #totalIn = 0
  #totalOut = 0
  #fromSeeder = 0
  #measured = { atS: 0, in: 0, out: 0 }
  #rates = { down: 0, up: 0 }

  received(bytes: number, fromSeeder: boolean): void {
    this.#totalIn += bytes
    if (fromSeeder) this.#fromSeeder += bytes
  }

  sent(bytes: number): void {
    this.#totalOut += bytes
  }

  /** `down` and `up` are bytes a second. */
  read(nowS: number): { down: number; up: number; received: number; fromSeeder: number; sent: number } {
    const elapsedS = nowS - this.#measured.atS
    if (elapsedS >= WINDOW_S) {
      this.#rates = {
        down: Math.round((this.#totalIn - this.#measured.in) / elapsedS),
        up: Math.round((this.#totalOut - this.#measured.out) / elapsedS),
      }
      this.#measured = { atS: nowS, in: this.#totalIn, out: this.#totalOut }
    }
    return {
      ...this.#rates,
      received: this.#totalIn,
      fromSeeder: this.#fromSeeder,
      sent: this.#totalOut,
    }
  }
}
