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
