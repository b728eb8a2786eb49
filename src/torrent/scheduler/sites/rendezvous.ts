/** FNV-1a, 32 bits: the same number for the same text everywhere. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

/** The number of a member of a site. The lowest of its neighbours import. A rank is lower than nearly all hashes. */
export const memberKey = (key: string, rank?: number): number => rank ?? hashOf(key)

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1996): the candidate with the highest score for a piece takes it. Participants that
 * know the same candidates choose the same one, and when a candidate leaves, only its own pieces move.
 */
function score(candidate: number, piece: number): number {
  let mixed = candidate ^ Math.imul(piece + 1, 0x9e3779b1)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

export function isBest(candidate: number, others: Iterable<number>, piece: number): boolean {
  const own = score(candidate, piece)
  for (const other of others) if (other !== candidate && score(other, piece) > own) return false
  return true
}

/** By how many pieces one candidate may be ahead of an equal share: with none, all shares would change with each candidate. */
const MAX_AHEAD = 3

/**
 * The number of the candidate that takes each piece: the best of those that have not got too many already. Shares are equal,
 * because the one with the largest would be done last.
 */
export function sharesOf(candidates: readonly number[], pieceCount: number): Uint16Array {
  const shares = new Uint16Array(pieceCount)
  const taken = new Uint32Array(candidates.length)
  for (let piece = 0; piece < pieceCount; piece++) {
    const most = piece / candidates.length + MAX_AHEAD
    let highest = -1
    let chosen = 0
    for (let at = 0; at < candidates.length; at++) {
      if ((taken[at] ?? 0) > most) continue
      const own = score(candidates[at] ?? 0, piece)
      if (own > highest) [chosen, highest] = [at, own]
    }
    shares[piece] = chosen
    taken[chosen] = (taken[chosen] ?? 0) + 1
  }
  return shares
}

/** The shares of the candidates that were asked for last. Neighbours come and go far more often than candidates change. */
export class KnownShares {
  readonly #pieceCount: number
  #last: { candidates: readonly number[]; shares: Uint16Array } | undefined

  constructor(pieceCount: number) {
    this.#pieceCount = pieceCount
  }

  of(candidates: readonly number[]): Uint16Array {
    if (!this.#last || !areEqual(this.#last.candidates, candidates))
      this.#last = { candidates, shares: sharesOf(candidates, this.#pieceCount) }
    return this.#last.shares
  }
}

const areEqual = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((number, at) => number === other[at])
