/** How many bytes from the start are there without a gap, while pieces arrive in any order. */
export class ContiguousBytes {
  readonly #pieceLength: number
  readonly #length: number
  readonly #ahead = new Set<number>()
  #next = 0
  #wake: () => void = () => {}
  readonly #look = () => this.#wake()

  constructor({ pieceLength, length }: { pieceLength: number; length: number }) {
    this.#pieceLength = pieceLength
    this.#length = length
  }

  /** The piece is verified and on disk. */
  add(piece: number): void {
    this.#ahead.add(piece)
    while (this.#ahead.delete(this.#next)) this.#next++
    this.#wake()
  }

  /**
   * Waits until more than `position` bytes from the start are there, and gives their number. Rejects with the signal's reason.
   */
  async beyond(position: number, signal?: AbortSignal): Promise<number> {
    for (;;) {
      signal?.throwIfAborted()
      const here = Math.min(this.#length, this.#next * this.#pieceLength)
      if (here > position) return here
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal?.addEventListener('abort', this.#look) // adding the same listener again does nothing
      })
    }
  }
}
