/** How far content that comes piece by piece, in any order, is there without a gap. */
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

  /** Bytes from the start that are there: waits until they are more than `position`. Rejects with the signal's reason. */
  async beyond(position: number, signal?: AbortSignal): Promise<number> {
    for (;;) {
      signal?.throwIfAborted()
      const here = Math.min(this.#length, this.#next * this.#pieceLength)
      if (here > position) return here
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        signal?.addEventListener('abort', this.#look) // the same one again is none
      })
    }
  }
}
