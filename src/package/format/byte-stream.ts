/** Reads numbers and runs of bytes from an untrusted stream. `broken` makes the error for anything impossible. */
export class ByteStream {
  readonly broken: (why: string, cause?: unknown) => Error
  readonly #parts: AsyncIterator<Buffer>
  #part: Buffer = Buffer.alloc(0)

  constructor(parts: AsyncIterable<Buffer>, broken: (why: string, cause?: unknown) => Error) {
    this.#parts = parts[Symbol.asyncIterator]()
    this.broken = broken
  }

  /** Bytes that came from the source and are not read yet. */
  get buffered(): number {
    return this.#part.length
  }

  async byte(): Promise<number> {
    return (await this.bytes(1))[0] as number
  }

  async uint(most: number): Promise<number> {
    let value = 0
    for (let scale = 1; scale < 2 ** 53; scale *= 0x80) {
      const byte = await this.byte()
      value += (byte & 0x7f) * scale
      if (value > most) break
      if (byte < 0x80) return value
    }
    throw this.broken('a number is too large')
  }

  /** Exactly `length` bytes, valid until the next call. The caller bounds `length`. */
  async bytes(length: number): Promise<Buffer> {
    if (this.#part.length >= length) return this.#take(length)
    const gathered: Buffer[] = []
    let missing = length
    for (;;) {
      const taken = this.#take(Math.min(missing, this.#part.length))
      // The source may reuse the buffer of a part for the next one.
      gathered.push(Buffer.from(taken))
      missing -= taken.length
      if (missing === 0) return Buffer.concat(gathered, length)
      if (!(await this.#next())) throw this.broken('it ends too early')
    }
  }

  /** Throws unless all has been read. */
  async end(): Promise<void> {
    while (this.#part.length === 0) if (!(await this.#next())) return
    throw this.broken('more follows its end')
  }

  /** Tells the source that reading has ended. */
  async close(): Promise<void> {
    await this.#parts.return?.()
  }

  async #next(): Promise<boolean> {
    const next = await this.#parts.next()
    if (next.done) return false
    this.#part = next.value
    return true
  }

  #take(length: number): Buffer {
    const taken = this.#part.subarray(0, length)
    this.#part = this.#part.subarray(length)
    return taken
  }
}
