/** One connection gets all metadata so many times at most: a client that found it wrong asks for it again. */
const COPIES_FOR_EACH = 2
/** When a piece has left once, another one of the fleet gets it so much later, and the next one after half of that, and so on. */
const FIRST_PAUSE_S = 1

/**
 * Decides which requests for metadata are answered with it; any other is rejected at once, and none waits. A seeder gives each
 * piece to one agent, which passes it on: so it leaves the deploy host about once. Where agents do not reach each other, the
 * shrinking pauses end that soon.
 */
export class MetadataUploadPolicy {
  readonly #mostForEach: number
  readonly #isFrugal: boolean
  /** Pieces given, by connection. */
  readonly #given = new Map<number, number>()
  /** By piece: who got it last, when, and how often it has left. */
  readonly #last = new Map<number, { to: number; atS: number; times: number }>()

  /** `isFrugal`: other agents pass on what one of them has got. */
  constructor(pieceCount: number, isFrugal: boolean) {
    this.#mostForEach = COPIES_FOR_EACH * pieceCount
    this.#isFrugal = isFrugal
  }

  /** Whether the piece, which is here, goes to this neighbour now. */
  gives({ id, isAgent }: { id: number; isAgent: boolean }, piece: number, nowS: number): boolean {
    const given = this.#given.get(id) ?? 0
    if (given >= this.#mostForEach) return false
    const last = this.#last.get(piece)
    if (this.#isFrugal && isAgent && last && last.to !== id) {
      const passesOn = this.#given.has(last.to)
      if (passesOn && nowS - last.atS < FIRST_PAUSE_S / 2 ** (last.times - 1)) return false
    }
    this.#given.set(id, given + 1)
    if (isAgent) this.#last.set(piece, { to: id, atS: nowS, times: (last?.times ?? 0) + 1 })
    return true
  }

  leave(id: number): void {
    this.#given.delete(id)
  }
}
