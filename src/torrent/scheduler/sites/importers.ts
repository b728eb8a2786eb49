import { PieceSet } from '../piece-set.ts'
import { KnownShares } from './rendezvous.ts'

/** So many members of a site fetch from other sites: enough flows for a long path, and few enough to know each other. */
export const MAX_IMPORTERS = 8

/** The members of this site that fetch from other sites, and the pieces that are this member's by hash. */
export class Importers {
  count = 1
  /** Whether this participant is one of them. */
  includesUs = true
  readonly ourPieces: PieceSet
  readonly #shares: KnownShares

  constructor(pieceCount: number) {
    this.ourPieces = new PieceSet(pieceCount)
    this.#shares = new KnownShares(pieceCount)
  }

  /** `candidates` are the keys of all members that may be chosen, `own` is that of this participant. */
  choose(candidates: number[], own: number): void {
    const chosen = candidates.sort((a, b) => a - b).slice(0, MAX_IMPORTERS)
    this.count = chosen.length
    const at = chosen.indexOf(own)
    this.includesUs = at >= 0
    const shares = this.#shares.of(chosen)
    this.ourPieces.fillWith((piece) => shares[piece] === at)
  }
}
