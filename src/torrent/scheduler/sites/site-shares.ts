import { PieceSet } from '../piece-set.ts'
import { hashOf, KnownShares } from './rendezvous.ts'

/** If sites are named, each takes from the seeder's site only the pieces that it passes on to the others: its share. */
export class SiteShares {
  /** The share of this site. */
  readonly own: PieceSet
  /** The same, and the shares of late sites. */
  readonly late: PieceSet
  /** For each piece, the number of the site whose share it is. */
  #shareOf: Uint16Array
  readonly #known: KnownShares
  readonly #pieceCount: number
  #siteCount = 1

  constructor(pieceCount: number) {
    this.#pieceCount = pieceCount
    this.own = new PieceSet(pieceCount)
    this.late = new PieceSet(pieceCount)
    this.#shareOf = new Uint16Array(pieceCount)
    this.#known = new KnownShares(pieceCount)
  }

  /** `own`: the name of this site. `others`: all sites but the seeder's. A site without a name shares with nobody. */
  choose(own: string | undefined, others: readonly string[]): void {
    const sites = own === undefined ? [''] : [...new Set([own, ...others])]
    this.#siteCount = sites.length
    this.#shareOf = this.#known.of(sites.map(hashOf))
    this.own.fillWith((piece) => this.#shareOf[piece] === 0)
  }

  /** A site is late if it has a smaller part of its share than this site has of everything. Copies are those of each piece. */
  findLate(copiesHere: Uint16Array, copiesElsewhere: Uint16Array): void {
    const here = new Uint32Array(this.#siteCount)
    const shares = new Uint32Array(this.#siteCount)
    let own = 0
    for (let piece = 0; piece < this.#pieceCount; piece++) {
      const site = this.#shareOf[piece] ?? 0
      shares[site] = (shares[site] ?? 0) + 1
      if ((copiesElsewhere[piece] ?? 0) > 0) here[site] = (here[site] ?? 0) + 1
      if ((copiesHere[piece] ?? 0) > 0) own++
    }
    const isLate = [...here].map(
      (count, site) => site === 0 || count * this.#pieceCount < own * (shares[site] ?? 0),
    )
    this.late.fillWith((piece) => isLate[this.#shareOf[piece] ?? 0] === true)
  }
}
