/** The rate is smoothed over this time. */
const RATE_S = 1
/** Below this part of its highest value the rate counts as low. */
const STARVED = 0.5
/** When nothing came for `STALL_S`, all neighbours may be asked for everything: first for this long, then for twice as long. */
const STALL_S = 2
const FIRST_FREEDOM_S = 5

/** How much comes from other sites, and whether anything comes at all. */
export class ImportRate {
  /** The most bytes a second so far. */
  highest = 0
  /** Bytes a second, smoothed. */
  #rate = 0
  #rateAtS = 0
  #lastArrivalS: number | undefined
  #freeUntilS = 0
  #freedomS = FIRST_FREEDOM_S

  /** A block came. `bytes`: those from another site. */
  arrived(bytes: number, nowS: number): void {
    this.#lastArrivalS = nowS
    if (bytes === 0) return
    this.#decay(nowS)
    this.#rate += bytes / RATE_S
    this.highest = Math.max(this.highest, this.#rate)
  }

  tick(nowS: number): void {
    this.#decay(nowS)
    this.#lastArrivalS ??= nowS
    if (nowS < this.#freeUntilS || nowS - this.#lastArrivalS < STALL_S) return
    this.#freeUntilS = nowS + this.#freedomS
    this.#freedomS *= 2
  }

  /** Whether far less comes than at its best. */
  get isStarved(): boolean {
    return this.#rate < STARVED * this.highest
  }

  /** Whether all neighbours may be asked for everything, because nothing came for long. */
  isFree(nowS: number): boolean {
    return nowS < this.#freeUntilS
  }

  #decay(nowS: number): void {
    this.#rate *= Math.exp(-(nowS - this.#rateAtS) / RATE_S)
    this.#rateAtS = nowS
  }
}
