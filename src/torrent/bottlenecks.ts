/** Rates are measured over at least this time. */
const WINDOW_S = 0.5
/** If a tick is later than this, the process stood still. */
const LATE_S = 0.2

/** The state at one tick. Bytes so far. */
export interface Look {
  received: number
  sent: number
  /** Only the disk is still writing: no more can be requested, or everything has arrived. */
  waitsForDisk: boolean
}

/** Adds up the time that a transfer spends waiting. Call `look` ten times a second, and `wrote` for each written piece. */
export class Bottlenecks {
  /** Seconds spent waiting for the disk. */
  diskS = 0
  /** Seconds in which this process did not run, counting only gaps longer than any work of its own. */
  stoppedS = 0
  /** The highest rates of receiving and sending, bytes a second. */
  peakDown = 0
  peakUp = 0
  /** What was read from disk for others, and the seconds in which at least one read was under way. */
  #readBytes = 0
  #readS = 0
  #readsUnderWay = 0
  #readSinceS = 0
  /** Since the last look. */
  #wroteS = 0
  readonly #window: { atS: number; received: number; sent: number }[] = []

  /** A piece was written while all else waited. */
  wrote(seconds: number): void {
    this.diskS += seconds
    this.#wroteS += seconds
  }

  /** Bytes a second that the disk gave while others waited for them; undefined if nothing was read. */
  get readRate(): number | undefined {
    return this.#readBytes > 0 && this.#readS > 0 ? this.#readBytes / this.#readS : undefined
  }

  /** Measures a read for others. Several at once count for the same time. */
  async reading(read: () => Promise<Buffer>, nowS: () => number): Promise<Buffer> {
    if (this.#readsUnderWay++ === 0) this.#readSinceS = nowS()
    try {
      const bytes = await read()
      this.#readBytes += bytes.length
      return bytes
    } finally {
      this.#readsUnderWay--
      this.#readS += nowS() - this.#readSinceS
      this.#readSinceS = nowS()
    }
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
