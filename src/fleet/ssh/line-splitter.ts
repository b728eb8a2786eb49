import { START_MARK } from './bootstrap.ts'

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

/** The last `limit` bytes of a stream. */
export class Tail {
  #kept: Buffer = Buffer.alloc(0)
  readonly #limit: number

  constructor(limit = 8192) {
    this.#limit = limit
  }

  push(chunk: Buffer): void {
    const joined = Buffer.concat([this.#kept, chunk])
    this.#kept = joined.length > this.#limit ? Buffer.from(joined.subarray(-this.#limit)) : joined
  }

  get bytes(): Buffer {
    return this.#kept
  }

  toString(): string {
    return this.#kept.toString()
  }
}

/** Passes on the bytes after the start mark. Of those before it, the server's greeting, it keeps the last few KiB. */
export class Greeting {
  readonly #mark = Buffer.from(`\n${START_MARK}\n`)
  readonly #before = new Tail()
  found = false

  /** The part of `chunk` that belongs to the script. */
  push(chunk: Buffer): Buffer {
    if (this.found) return chunk
    // The mark may be split over two chunks.
    const seen = Buffer.concat([this.#before.bytes, chunk])
    const at = seen.indexOf(this.#mark)
    if (at === -1) {
      this.#before.push(chunk)
      return Buffer.alloc(0)
    }
    this.found = true
    return seen.subarray(at + this.#mark.length)
  }

  get text(): string {
    return this.#before.toString()
  }
}
