/** One connection gets all metadata at most so many times. A client that found it wrong asks again. */
const COPIES_FOR_EACH = 2
/**
 * After a piece has left once, the next agent of the fleet gets it this much later, the one after that in half the time, and so
 * on.
 */
const FIRST_PAUSE_S = 0.25
/** An agent that starts late does not know yet which others have the piece. So it is rejected this often at first, and meanwhile asks them. */
const LEAST_REJECTS = 2

/**
 * Decides which requests for metadata are granted. All others are rejected at once; none waits. A seeder gives each piece to one
 * agent, which passes it on, so it leaves the deploy host about once. Where agents do not reach each other, the shrinking pauses
 * soon let all have it.
 */
export class MetadataUploadPolicy {
  readonly #mostForEach: number
  readonly #isFrugal: boolean
  /** Pieces given, by connection. */
  readonly #given = new Map<number, number>()
  /** For each piece: the agent that got it last, when, and how often it was given. */
  readonly #last = new Map<number, { to: number; atS: number; times: number }>()
  /** How often each connection was rejected for each piece. */
  readonly #rejects = new Map<number, Map<number, number>>()

  /** `isFrugal`: agents pass on pieces to each other. */
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
      const isEarly = nowS - last.atS < FIRST_PAUSE_S / 2 ** (last.times - 1)
      if (passesOn && (this.#rejected(id, piece) < LEAST_REJECTS || isEarly)) return this.#reject(id, piece)
    }
    this.#given.set(id, given + 1)
    if (isAgent) this.#last.set(piece, { to: id, atS: nowS, times: (last?.times ?? 0) + 1 })
    return true
  }

  leave(id: number): void {
    this.#given.delete(id)
    this.#rejects.delete(id)
  }

  #rejected(id: number, piece: number): number {
    return this.#rejects.get(id)?.get(piece) ?? 0
  }

  #reject(id: number, piece: number): false {
    const rejects = this.#rejects.get(id) ?? new Map<number, number>()
    this.#rejects.set(id, rejects.set(piece, this.#rejected(id, piece) + 1))
    return false
  }
}
