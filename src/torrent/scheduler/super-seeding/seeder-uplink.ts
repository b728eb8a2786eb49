import { IncomingRate } from '../incoming-rate.ts'
import type { Receiver } from './receiver.ts'

/** So much more is under way than the uplink carries in the least time of a piece: otherwise its rate could not grow. */
const AHEAD_TIMES = 1.25

/** How fast a super-seeder's uplink carries pieces. */
export class SeederUplink {
  readonly #rate = new IncomingRate()

  /** `bytes` were sent, to whichever peer. */
  sent(bytes: number, nowS: number): void {
    this.#rate.arrived(bytes, nowS)
  }

  /** How long it needs for so many bytes, seconds; 0 until its rate is known. */
  timeFor(bytes: number): number {
    return this.#rate.value === 0 ? 0 : bytes / this.#rate.value
  }

  /** Bytes that keep it busy, as far as is known. */
  bytesAhead(receivers: Iterable<Receiver>): number {
    return this.#rate.value * AHEAD_TIMES * this.pieceTime(receivers)
  }

  /**
   * The least time that a piece needed, as it has to be asked for, and then takes several blocks; 0 until that is known. An average
   * would grow with what is under way, and that with the average.
   */
  pieceTime(receivers: Iterable<Receiver>): number {
    let least = Number.POSITIVE_INFINITY
    for (const { leastS } of receivers) if (leastS > 0) least = Math.min(least, leastS)
    return Number.isFinite(least) ? least : 0
  }
}
