import { PieceSet } from '../piece-set.ts'

/** When another site has had a piece for this long, any member may fetch it, not only the one chosen by hash. */
const RIPE_S = 0.2

/** Pieces that other sites have had for some time: any member of this site may fetch them. */
export class RipePieces {
  readonly ripe: PieceSet
  /** Pieces that are not ripe yet, and since when another site has each. */
  readonly #heard = new Map<number, number>()

  constructor(pieceCount: number) {
    this.ripe = new PieceSet(pieceCount)
  }

  /** Another site has the piece. `isNews`: it ripens anew, because a site that passes it on now has it. */
  hear(piece: number, nowS: number, isNews: boolean): void {
    if (isNews) this.ripe.delete(piece)
    else if (this.#heard.has(piece) || this.ripe.has(piece)) return
    this.#heard.delete(piece)
    this.#heard.set(piece, nowS)
  }

  tick(nowS: number): void {
    for (const [piece, atS] of this.#heard) {
      if (nowS - atS < RIPE_S) break
      this.#heard.delete(piece)
      this.ripe.add(piece)
    }
  }
}
