/** Rates are those of at least so long. */
const WINDOW_S = 0.5
/** A tick that comes later than this tells that the process stood still. */
const LATE_S = 0.2

/** What a tick sees. Bytes so far. */
export interface Look {
  received: number
  sent: number
  /** Nothing can be asked for, or all has come, and the disk is still writing. */
  waitsForDisk: boolean
}

/** Adds up what holds up a transfer. Looked at ten times a second, and told of each piece that is written. */
export class Bottlenecks {
  /** Seconds in which the disk was waited for. */
  diskS = 0
  /** Seconds in which this process did not run at all, longer than it works on anything. */
  stoppedS = 0
  /** The fastest that it has received and sent, bytes a second. */
  peakDown = 0
  peakUp = 0
  /** Since the last look. */
  #wroteS = 0
  readonly #window: { atS: number; received: number; sent: number }[] = []

  /** A piece was written while all else waited. */
  wrote(seconds: number): void {
    this.diskS += seconds
    this.#wroteS += seconds
  }

  look(nowS: number, { received, sent, waitsForDisk }: Look): void {
    const before = this.#window.at(-1)
    const elapsedS = nowS - (before?.atS ?? nowS)
    const restS = Math.max(0, elapsedS - this.#wroteS)
    if (waitsForDisk) this.diskS += restS
    else if (restS > LATE_S) this.stoppedS += restS
    this.#wroteS = 0
    this.#window.push({ atS: nowS, received, sent })
    const [oldest] = this.#window
    if (!oldest || nowS - oldest.atS < WINDOW_S) return
    this.peakDown = Math.max(this.peakDown, (received - oldest.received) / (nowS - oldest.atS))
    this.peakUp = Math.max(this.peakUp, (sent - oldest.sent) / (nowS - oldest.atS))
    this.#window.shift()
  }
}
