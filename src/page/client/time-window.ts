/** The part of the run that all curves and lanes show. Without a choice it is the whole run, and grows with it. */
export class TimeWindow {
  #chosen: { fromS: number; toS: number } | undefined
  #endS = 1
  readonly #onChange: () => void

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  set endS(seconds: number) {
    this.#endS = Math.max(seconds, 1)
  }

  get isWhole(): boolean {
    return this.#chosen === undefined
  }

  get fromS(): number {
    return this.#chosen?.fromS ?? 0
  }

  get toS(): number {
    return this.#chosen?.toS ?? this.#endS
  }

  choose(fromS: number, toS: number): void {
    const length = Math.min(Math.max(toS - fromS, 0.2), this.#endS)
    const start = Math.min(Math.max(fromS, 0), this.#endS - length)
    this.#chosen = length >= this.#endS ? undefined : { fromS: start, toS: start + length }
    this.#onChange()
  }

  /** `factor` below 1 shows less. Around `atS`, or else towards the end. */
  zoom(factor: number, atS = this.toS): void {
    const { fromS, toS } = this
    this.choose(atS - (atS - fromS) * factor, atS + (toS - atS) * factor)
  }

  /** `share`: part of the visible time. */
  move(share: number): void {
    const by = (this.toS - this.fromS) * share
    if (!this.isWhole) this.choose(this.fromS + by, this.toS + by)
  }

  reset(): void {
    this.#chosen = undefined
    this.#onChange()
  }
}
