import { hashOf } from './rendezvous.ts'
import { MAX_IMPORTERS } from './site-imports.ts'

/** Members that take over when importers die. All of their site know them, and they are connected to other sites. */
const SPARE_IMPORTERS = 2
/** Each importer connects to so many members of every other site. */
const PARTNERS_AT_SITE = 2

/** A server and its site. `key` is the same text at all participants. */
export interface Member {
  site: string
  key: string
}

/**
 * All sites and their servers, where the deploy has named them. In a larger swarm it decides who connects to whom: all members of
 * a site to those that may import, and these to some members of every other site. So few connections cross a long link.
 */
export class Roster {
  readonly #leaders = new Map<string, string[]>()

  /** The keys of the members by the names of the sites. */
  constructor(sites: ReadonlyMap<string, readonly string[]>) {
    for (const [site, keys] of sites) this.#leaders.set(site, inOrder(keys))
  }

  /** Members that import, or would do so if others died. */
  leadersOf(site: string): readonly string[] {
    return this.#leaders.get(site) ?? []
  }

  /** Whether the two should be neighbours although they are at different sites. */
  mayCross(one: Member, other: Member): boolean {
    return this.leadersOf(one.site).includes(one.key) && this.leadersOf(other.site).includes(other.key)
  }

  /** The members that a member connects to by name. */
  partnersOf({ site, key }: Member): Member[] {
    const leaders = this.leadersOf(site)
    const own = leaders.filter((leader) => leader !== key).map((leader) => ({ site, key: leader }))
    const rank = leaders.indexOf(key)
    if (rank < 0) return own
    const others = [...this.#leaders].filter(([other]) => other !== site)
    return [
      ...own,
      ...others.flatMap(([other, keys]) => partnersAt(keys, rank).map((key) => ({ site: other, key }))),
    ]
  }
}

/** In the same order as in `SiteImports`. */
function inOrder(keys: readonly string[]): string[] {
  const hashed = keys.map((key) => ({ key, hash: hashOf(key) })).sort((a, b) => a.hash - b.hash)
  return hashed.slice(0, MAX_IMPORTERS + SPARE_IMPORTERS).map(({ key }) => key)
}

/** Members of different ranks choose different ones. */
function partnersAt(keys: readonly string[], rank: number): string[] {
  const count = Math.min(PARTNERS_AT_SITE, keys.length)
  return Array.from({ length: count }, (_, at) => keys[(rank + at) % keys.length] as string)
}
