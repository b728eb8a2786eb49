/** How many bytes from the start are there without a gap, while pieces arrive in any order. */
export class ContiguousBytes {
  readonly #pieceLength: number
  readonly #length: number
  readonly #ahead = new Set<number>()
  #next = 0
  #isBehind = false
  #wake: () => void = () => {}
  readonly #look = () => this.#wake()

  constructor({ pieceLength, length }: { pieceLength: number; length: number }) {
    this.#pieceLength = pieceLength
    this.#length = length
  }

  /** Whether the reader works on bytes that it got: it does not wait for more. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** The piece is verified and on disk. */
  add(piece: number): void {
    this.#ahead.add(piece)
    while (this.#ahead.delete(this.#next)) this.#next++
    this.#wake()
  }

  /** Nobody reads any more. */
  end(): void {
    this.#isBehind = false
  }

  /**
   * Waits until more than `position` bytes from the start are there, and gives their number. Rejects with the signal's reason.
   */
  async beyond(position: number, signal?: AbortSignal): Promise<number> {
    for (;;) {
      signal?.throwIfAborted()
      const here = Math.min(this.#length, this.#next * this.#pieceLength)
      this.#isBehind = here > position
      if (this.#isBehind) return here
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal?.addEventListener('abort', this.#look) // adding the same listener again does nothing
      })
    }
  }
}
