/** FNV-1a, 32 bits: the same number for the same text everywhere. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

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

/** The number of the candidate that takes the piece. */
export function best(candidates: readonly number[], piece: number): number {
  let chosen = 0
  let highest = -1
  candidates.forEach((candidate, at) => {
    const own = score(candidate, piece)
    if (own > highest) [chosen, highest] = [at, own]
  })
  return chosen
}
