/** The phases of all servers together, in seconds. */
export class TransferTimes {
  transfer = 0
  unpack = 0
  readonly #started = performance.now()

  now(): number {
    return (performance.now() - this.#started) / 1000
  }

  transferred(): void {
    this.transfer = this.now()
  }

  unpacked(): void {
    this.unpack = this.now() - this.transfer
  }
}
