/** A piece that a member claims is left to it for this long, or for so many times the usual duration. */
const CLAIM_S = 1.5
const USUAL_CLAIMS = 3
/** The assumed duration until it is measured. */
const FIRST_CLAIM_S = 2

interface Claim {
  peer: number
  atS: number
  /** All members that have claimed the piece so far. */
  peers: Set<number>
  isOver: boolean
}

/**
 * The pieces that members of this site claim to fetch from another site. Each member's claim counts once for each piece, so a
 * member that claims everything and fetches nothing delays the others only briefly.
 */
export class ImportClaims {
  readonly #claims = new Map<number, Claim>()
  /** Time from a member's claim until it has the piece, smoothed. */
  #usualS = 0

  has(piece: number): boolean {
    return this.#claims.get(piece)?.isOver === false
  }

  /** Returns whether the claim counts. */
  claim(piece: number, peer: number, nowS: number): boolean {
    const claim = this.#claims.get(piece)
    if (claim?.peers.has(peer)) return false
    const peers = (claim?.peers ?? new Set()).add(peer)
    this.#claims.set(piece, { peer, atS: nowS, peers, isOver: false })
    return true
  }

  /** The peer has the piece. `nowS` is the time if it has just got it. */
  kept(piece: number, peer: number, nowS: number | undefined): void {
    const claim = this.#claims.get(piece)
    if (claim?.peer !== peer) return
    claim.isOver = true
    if (nowS === undefined) return
    const tookS = nowS - claim.atS
    this.#usualS = this.#usualS === 0 ? tookS : this.#usualS * 0.75 + tookS * 0.25
  }

  /** Ends the claims that take too long. Returns their pieces. */
  expire(nowS: number): number[] {
    const patienceS = this.#usualS === 0 ? FIRST_CLAIM_S : Math.max(CLAIM_S, USUAL_CLAIMS * this.#usualS)
    return this.#end(({ atS }) => nowS - atS > patienceS)
  }

  /** Ends the claims of members that are gone. */
  keepOnly(isHere: (peer: number) => boolean): void {
    this.#end(({ peer }) => !isHere(peer))
  }

  #end(isOver: (claim: Claim) => boolean): number[] {
    const pieces: number[] = []
    for (const [piece, claim] of this.#claims) {
      if (claim.isOver || !isOver(claim)) continue
      claim.isOver = true
      pieces.push(piece)
    }
    return pieces
  }
}
