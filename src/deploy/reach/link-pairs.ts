/** In a fleet of up to so many servers, every pair is joined. */
const MAX_MESH = 7

export type Pair = readonly [from: number, to: number]

/**
 * The pairs of servers that are joined: a ring with shortcuts, so that each has at most six neighbours, of which it opens three,
 * and a piece reaches every server in few steps (about 3/2 of the cube root of `count`).
 */
export function linkPairs(count: number): Pair[] {
  const root = Math.cbrt(count)
  const steps =
    count <= MAX_MESH
      ? Array.from({ length: Math.floor(count / 2) }, (_, at) => at + 1)
      : [1, Math.round(root), Math.round(root * root)]
  return steps.flatMap((step) =>
    // Halfway around the ring the two meet.
    Array.from(
      { length: step * 2 === count ? step : count },
      (_, from): Pair => [from, (from + step) % count],
    ),
  )
}

/** Neighbours that a server needs for a fast swarm. */
const ENOUGH = 3

/** Whether one server reaches another on its peer port; undefined where that was not tried, or is not known. */
export type Reaches = (from: number, to: number) => boolean | undefined

/** The pairs that need a link over SSH: none where enough servers reach each other directly, in either direction. */
export function pairsToLink(count: number, reaches: Reaches): Pair[] {
  const pairs = linkPairs(count)
  const isJoined = ([one, other]: Pair) => reaches(one, other) === true || reaches(other, one) === true
  const isBlocked = ([one, other]: Pair) =>
    !isJoined([one, other]) && (reaches(one, other) === false || reaches(other, one) === false)
  if (!pairs.some(isBlocked)) return []
  const joined = pairs.filter(isJoined)
  const degree = (server: number) => joined.filter((pair) => pair.includes(server)).length
  const least = Math.min(ENOUGH, count - 1)
  const isEnough = Array.from({ length: count }, (_, server) => degree(server)).every((many) => many >= least)
  return isEnough && isConnected(count, joined) ? [] : pairs.filter((pair) => !isJoined(pair))
}

function isConnected(count: number, pairs: readonly Pair[]): boolean {
  const seen = new Set([0])
  for (let before = 0; before < seen.size; ) {
    before = seen.size
    for (const [one, other] of pairs) {
      if (seen.has(one)) seen.add(other)
      else if (seen.has(other)) seen.add(one)
    }
  }
  return seen.size === count
}
