/**
 * Limit of free memory that is kept, as much as may be in use at a time. Other memory stays allocated until the garbage collector
 * runs, and pieces of 8 MiB would be needed again long before that.
 */
const MAX_FREE_BYTES = 64 * 1024 * 1024

/** Memory for pieces. It is reused when a piece has no users any more, because new memory costs page faults (wire/NOTES.md). */
export class PiecePool {
  readonly #free: Buffer[] = []
  readonly #pieceLength: number

  /** `pieceLength` is the length of all pieces but the last. */
  constructor(pieceLength: number) {
    this.#pieceLength = pieceLength
  }

  take(length: number): Buffer {
    return (length === this.#pieceLength && this.#free.pop()) || Buffer.allocUnsafeSlow(length)
  }

  giveBack(bytes: Buffer): void {
    if (bytes.length === this.#pieceLength && (this.#free.length + 1) * this.#pieceLength <= MAX_FREE_BYTES)
      this.#free.push(bytes)
  }
}
