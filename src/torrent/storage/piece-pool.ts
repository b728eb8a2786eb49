/**
 * Most bytes that are kept for pieces to come: as many as may have been in use at a time. What is let go stays in memory until
 * it is collected, and pieces of 8 MiB are in use again long before that.
 */
const MOST_FREE = 64 * 1024 * 1024

/**
 * Memory for pieces, used again when nobody holds a piece any more: new memory costs page
 * faults (wire/NOTES.md).
 */
export class PiecePool {
  readonly #free: Buffer[] = []
  readonly #length: number

  /** `length` is that of all pieces but the last. */
  constructor(length: number) {
    this.#length = length
  }

  take(length: number): Buffer {
    return (length === this.#length && this.#free.pop()) || Buffer.allocUnsafeSlow(length)
  }

  giveBack(bytes: Buffer): void {
    if (bytes.length === this.#length && (this.#free.length + 1) * this.#length <= MOST_FREE)
      this.#free.push(bytes)
  }
}
