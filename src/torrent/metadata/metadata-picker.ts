/** Pending requests to one neighbour at a time. */
const WINDOW = 2
/** After this time a request without an answer is given up, and its neighbour is left alone for a while. */
const ANSWER_TIMEOUT_S = 3
/** A neighbour that has rejected a request is left alone for this long, and twice as long after each further one. */
const SHORTEST_PAUSE_S = 0.1
const LONGEST_PAUSE_S = 1
/** The same for the seeder, where there are others: they have it soon. */
const SEEDER_PAUSE_S = 1
/** An only source gets this long to deliver something. Then another one replaces it. */
const SOURCE_TIMEOUT_S = 5

interface Neighbour {
  id: number
  /** Whether it says that it has all metadata. */
  hasAll: boolean
  isSeeder: boolean
  /** The pieces that it says it has. */
  has: Set<number>
  /** Piece by time of request. */
  asked: Map<number, number>
  /** Pieces that it was ever asked for: an answer may be late. */
  everAsked: Set<number>
  pausedUntilS: number
  rejects: number
}

/**
 * Decides which piece of the metadata to ask of which neighbour. Uses no socket and no clock. Each missing piece is requested
 * from one neighbour at a time, in random order: first from those that have all, then from the seeder, then from those that still
 * fetch it.
 *
 * If the metadata turns out wrong, the guilty neighbour is unknown. So all of it is fetched again from a single neighbour that
 * says it has verified it. If it is wrong again, that neighbour is guilty.
 */
export class MetadataPicker {
  readonly #pieceCount: number
  readonly #random: () => number
  readonly #neighbours = new Map<number, Neighbour>()
  readonly #missing: Set<number>
  #isAlone = false
  #source: { id: number; broughtAtS: number } | undefined
  /** Neighbours that were the only source and delivered nothing. */
  readonly #tried = new Set<number>()

  /** `random`: uniform in [0, 1). */
  constructor(pieceCount: number, random: () => number) {
    this.#pieceCount = pieceCount
    this.#random = random
    this.#missing = new Set(Array.from({ length: pieceCount }, (_, piece) => piece))
  }

  /** A neighbour that exchanges metadata, or news of it. */
  describe(id: number, about: { hasAll: boolean; isSeeder: boolean }): void {
    const known = this.#neighbours.get(id)
    if (known) Object.assign(known, about)
    else
      this.#neighbours.set(id, {
        id,
        ...about,
        has: new Set(),
        asked: new Map(),
        everAsked: new Set(),
        pausedUntilS: 0,
        rejects: 0,
      })
  }

  leave(id: number): void {
    this.#neighbours.delete(id)
    if (this.#source?.id === id) this.#startAgain()
  }

  get isComplete(): boolean {
    return this.#missing.size === 0
  }

  /** The requests to send now. Call it after every event, and now and then. */
  next(nowS: number): { id: number; piece: number }[] {
    this.#giveUpLate(nowS)
    const neighbours = this.#inOrder(nowS)
    const requests: { id: number; piece: number }[] = []
    const free = new Set(this.#missing)
    for (const { asked } of this.#neighbours.values()) for (const piece of asked.keys()) free.delete(piece)
    for (const neighbour of neighbours) {
      for (;;) {
        const piece = neighbour.asked.size < WINDOW ? this.#pieceFor(neighbour, free, nowS) : undefined
        if (piece === undefined) break
        free.delete(piece)
        neighbour.asked.set(piece, nowS)
        neighbour.everAsked.add(piece)
        requests.push({ id: neighbour.id, piece })
      }
    }
    return requests
  }

  /** Pieces of a neighbour that does not have all yet: those that it has announced, or else any piece, to learn what it has. */
  #pieceFor(
    { hasAll, has, asked, pausedUntilS }: Neighbour,
    free: Set<number>,
    nowS: number,
  ): number | undefined {
    const known = hasAll ? undefined : this.#anyOf([...free].filter((piece) => has.has(piece)))
    if (known !== undefined || nowS < pausedUntilS) return known
    return hasAll || (asked.size === 0 && this.#pieceCount > 1) ? this.#anyOf([...free]) : undefined
  }

  #anyOf(pieces: number[]): number | undefined {
    return pieces[Math.floor(this.#random() * pieces.length)]
  }

  #inOrder(nowS: number): Neighbour[] {
    if (this.#isAlone) return this.#onlySource(nowS)
    return this.#shuffled().sort((a, b) => rank(a) - rank(b))
  }

  #onlySource(nowS: number): Neighbour[] {
    if (this.#source && nowS - this.#source.broughtAtS >= SOURCE_TIMEOUT_S) {
      this.#tried.add(this.#source.id)
      this.#startAgain()
    }
    const choices = this.#shuffled().filter(({ hasAll }) => hasAll)
    if (!this.#source && choices.every(({ id }) => this.#tried.has(id))) this.#tried.clear()
    const chosen = this.#source?.id ?? choices.find(({ id }) => !this.#tried.has(id))?.id
    const neighbour = chosen === undefined ? undefined : this.#neighbours.get(chosen)
    if (!neighbour) return []
    this.#source ??= { id: neighbour.id, broughtAtS: nowS }
    return [neighbour]
  }

  #shuffled(): Neighbour[] {
    return [...this.#neighbours.values()]
      .map((neighbour) => ({ neighbour, order: this.#random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ neighbour }) => neighbour)
  }

  #giveUpLate(nowS: number): void {
    for (const neighbour of this.#neighbours.values())
      for (const [piece, atS] of neighbour.asked) {
        if (nowS - atS < ANSWER_TIMEOUT_S) continue
        neighbour.asked.delete(piece)
        neighbour.pausedUntilS = nowS + LONGEST_PAUSE_S
      }
  }

  /** Whether the piece is wanted from this neighbour. */
  wants(id: number, piece: number): boolean {
    if (this.#isAlone && this.#source?.id !== id) return false
    return this.#missing.has(piece) && this.#neighbours.get(id)?.everAsked.has(piece) === true
  }

  /** The piece has come. Call it only if `wants` allows it. */
  arrived(id: number, piece: number, nowS: number): void {
    this.#missing.delete(piece)
    for (const { asked } of this.#neighbours.values()) asked.delete(piece)
    if (this.#source?.id === id) this.#source.broughtAtS = nowS
  }

  /** `has`: the pieces that it has, if it says so. */
  rejected(id: number, piece: number, nowS: number, has: Iterable<number> = []): void {
    const neighbour = this.#neighbours.get(id)
    if (!neighbour?.asked.delete(piece)) return
    for (const other of has) if (other < this.#pieceCount) neighbour.has.add(other)
    neighbour.has.delete(piece)
    const hasOthers = [...this.#neighbours.values()].some(({ isSeeder }) => !isSeeder)
    pause(neighbour, nowS, neighbour.isSeeder && hasOthers ? SEEDER_PAUSE_S : SHORTEST_PAUSE_S)
  }

  /** The metadata is complete and wrong. Returns the neighbour that has sent all of it, if there is one. */
  wrong(): number | undefined {
    const guilty = this.#source?.id
    this.#isAlone = true
    this.#startAgain()
    return guilty
  }

  #startAgain(): void {
    this.#source = undefined
    this.#missing.clear()
    for (let piece = 0; piece < this.#pieceCount; piece++) this.#missing.add(piece)
    for (const { asked, everAsked } of this.#neighbours.values()) {
      asked.clear()
      everAsked.clear()
    }
  }
}

const rank = ({ hasAll, isSeeder }: Neighbour) => (!hasAll ? 2 : isSeeder ? 1 : 0)

function pause(neighbour: Neighbour, nowS: number, leastS: number): void {
  const pauseS = Math.min(LONGEST_PAUSE_S, leastS * 2 ** neighbour.rejects++)
  neighbour.pausedUntilS = nowS + pauseS
}
