import { table } from '../../text/table.ts'

/** How one server reaches another: on its peer port, else on its sshd's, else not at all. */
export type WayBetween = 'direct' | 'ssh' | 'none'

/** How many of the tried pairs of servers can exchange in each way. */
export type WaysBetween = Record<WayBetween, number>

/** How one server reaches another. */
export interface TriedPair {
  from: string
  to: string
  way: WayBetween
}

const RANK = { direct: 2, ssh: 1, none: 0 }

/** The way of each pair of servers. The better direction counts, because either side may open the connection. */
export class PairWays {
  readonly #best = new Map<string, WayBetween>()

  constructor(tried: readonly TriedPair[]) {
    for (const { from, to, way } of tried) {
      const before = this.of(from, to)
      if (before === undefined || RANK[way] > RANK[before]) this.#best.set(keyOf(from, to), way)
    }
  }

  of(one: string, other: string): WayBetween | undefined {
    return this.#best.get(keyOf(one, other))
  }

  count(): WaysBetween {
    const ways: WaysBetween = { direct: 0, ssh: 0, none: 0 }
    for (const way of this.#best.values()) ways[way]++
    return ways
  }
}

const keyOf = (one: string, other: string) => JSON.stringify([one, other].sort())

const UNUSED = 'open murder.ports; or set murder.between to auto, and a deploy uses it'
const USED = 'a deploy says whether sshd takes its keys; with murder.ports open it needs none'

const what = (isUsed: boolean): Record<WayBetween, [name: string, then: string]> => ({
  direct: ['directly', ''],
  ssh: ['over SSH', isUsed ? USED : UNUSED],
  none: [
    'not at all',
    'open murder.ports, or the port of sshd, between them; until then the seeder sends all to each',
  ],
})

/**
 * A small table of the ways that work between servers; none where all are direct, or nothing was tried. `isUsed`: a deploy exchanges
 * over SSH where it has to.
 */
export function waysTable(ways: WaysBetween, isUsed: boolean): string[] {
  const texts = what(isUsed)
  const rows = (Object.keys(ways) as WayBetween[])
    .filter((way) => ways[way] > 0)
    .map((way) => [String(ways[way]), ...texts[way]])
  return ways.ssh + ways.none === 0 ? [] : [table([['pairs', 'exchange', ''], ...rows])]
}
