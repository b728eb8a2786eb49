/** How many wrong pieces are remembered until their right bytes arrive. */
const MAX_PIECES = 256

interface Unit<Sender> {
  index: number
  digest: Buffer
  sender: Sender
}

/**
 * Digests of what several peers sent for pieces that turned out wrong. Once the right piece is here, it shows which of these
 * peers sent other bytes. Only those are guilty.
 */
export class Evidence<Sender> {
  readonly #pieces = new Map<number, Unit<Sender>[]>()

  has(piece: number): boolean {
    return this.#pieces.has(piece)
  }

  /** The piece is wrong. `senders` and `digests` are those of its units, in their order. */
  wrong(piece: number, senders: readonly (Sender | undefined)[], digests: readonly Buffer[]): void {
    const units = this.#pieces.get(piece) ?? []
    for (const [index, sender] of senders.entries())
      if (sender !== undefined) units.push({ index, digest: digests[index] as Buffer, sender })
    this.#pieces.set(piece, units)
    const [oldest] = this.#pieces.keys()
    if (this.#pieces.size > MAX_PIECES && oldest !== undefined) this.#pieces.delete(oldest)
  }

  /** The piece is right at last. Returns the peers that have sent other bytes for it. */
  right(piece: number, digests: readonly Buffer[]): Set<Sender> {
    const units = this.#pieces.get(piece) ?? []
    this.#pieces.delete(piece)
    return new Set(
      units.filter(({ index, digest }) => !digests[index]?.equals(digest)).map(({ sender }) => sender),
    )
  }
}
