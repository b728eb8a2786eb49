/** Longer content keeps only every second piece, every third, and so on: the same ones on all servers. */
const MAX_KEPT = 1024
const MAX_SOURCES = 255

/** The source of a piece and the time of its arrival, in seconds. */
export interface PieceArrival {
  piece: number
  source: string
  atS: number
}

/** Records the source and time of each piece. Costs five bytes and one call for each piece. */
export class PieceArrivals {
  readonly pieceCount: number
  /** The pieces 0, `every`, 2 × `every` … are kept. */
  readonly every: number
  /** The last piece that has come, kept or not. */
  last: PieceArrival | undefined
  readonly #sources = new Map<string, number>()
  /** 0: the piece was there before, or has not come. */
  readonly #source: Uint8Array
  readonly #atS: Float32Array

  constructor(pieceCount: number) {
    this.pieceCount = pieceCount
    this.every = Math.max(1, Math.ceil(pieceCount / MAX_KEPT))
    const kept = Math.ceil(pieceCount / this.every)
    this.#source = new Uint8Array(kept)
    this.#atS = new Float32Array(kept)
  }

  came(piece: number, source: string, atS: number): void {
    this.last = { piece, source, atS }
    if (piece % this.every !== 0) return
    const number = this.#sources.get(source) ?? this.#sources.size + 1
    if (number > MAX_SOURCES) return
    this.#sources.set(source, number)
    this.#source[piece / this.every] = number
    this.#atS[piece / this.every] = atS
  }

  *kept(): Generator<PieceArrival> {
    const sources = [...this.#sources.keys()]
    for (const [place, number] of this.#source.entries()) {
      const source = sources[number - 1]
      if (source !== undefined) yield { piece: place * this.every, source, atS: this.#atS[place] ?? 0 }
    }
  }
}
