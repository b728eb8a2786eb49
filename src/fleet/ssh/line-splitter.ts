/** Splits bytes into lines of UTF-8. A line longer than `limit` bytes is cut there; its rest is dropped. */
export class LineSplitter {
  readonly #onLine: (line: string) => void
  readonly #limit: number
  #parts: Buffer[] = []
  #length = 0

  constructor(onLine: (line: string) => void, limit = 1 << 20) {
    this.#onLine = onLine
    this.#limit = limit
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end))
      this.#emit()
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
  }

  /** The end of the stream: the rest is a line too. */
  end(): void {
    if (this.#length > 0) this.#emit()
  }

  #keep(part: Buffer): void {
    const kept = part.subarray(0, this.#limit - this.#length)
    if (kept.length === 0) return
    this.#parts.push(kept)
    this.#length += kept.length
  }

  #emit(): void {
    const line = Buffer.concat(this.#parts).toString()
    this.#parts = []
    this.#length = 0
    this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  }
}
