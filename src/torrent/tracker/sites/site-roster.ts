/** A site has so many leaders. They know all its peers and connect to other sites: some fetch, and two can take over. */
const LEADERS = 10
/** Each leader connects to so many leaders of every other site. */
const PARTNERS_AT_SITE = 1
/** Peers of further sites, and of sites with longer names, are told nothing. */
const MAX_SITES = 256
const MAX_NAME_CHARACTERS = 64

/** Whether it may be a rank. Numbers from others are not trusted. */
export const isRank = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < LEADERS

/** What a peer of a larger swarm is told. */
export interface Guidance<Peer> {
  /** Its number among the leaders of its site; undefined for other members. */
  rank: number | undefined
  /** Whom it should connect to, however many neighbours it has: the leaders of its site, and for a leader some of the others. */
  partners: Peer[]
}

/**
 * Decides which peers connect to which, in a swarm that is no mesh and has several sites. The first peers of a site are its leaders.
 * All others of the site connect to these, and only leaders connect to other sites. So few connections cross a long link, and all
 * peers of a site agree on which of them fetch from other sites. Leaders of different ranks have different partners.
 */
export class SiteRoster<Peer> {
  /** By site, the leaders in the order of their ranks; undefined where one has left. */
  readonly #leaders = new Map<string, (Peer | undefined)[]>()
  readonly #sites = new Map<Peer, string>()

  /** The peer says where it is. `isWhole`: it needs nothing, so it does not lead. */
  came(peer: Peer, site: string, isWhole: boolean): Guidance<Peer> | undefined {
    if (site.length > MAX_NAME_CHARACTERS || (!this.#leaders.has(site) && this.#leaders.size >= MAX_SITES))
      return undefined
    if (this.#sites.get(peer) !== site) this.left(peer)
    this.#sites.set(peer, site)
    const leaders = this.#leaders.get(site) ?? []
    this.#leaders.set(site, leaders)
    const rank = leaders.indexOf(peer) >= 0 || isWhole ? leaders.indexOf(peer) : appoint(peer, leaders)
    const own = leaders.filter((other) => other !== undefined && other !== peer) as Peer[]
    if (rank < 0) return { rank: undefined, partners: own }
    return { rank, partners: [...own, ...this.#partnersElsewhere(site, rank)] }
  }

  left(peer: Peer): void {
    const leaders = this.#leaders.get(this.#sites.get(peer) ?? '') ?? []
    this.#sites.delete(peer)
    const rank = leaders.indexOf(peer)
    if (rank >= 0) leaders[rank] = undefined
  }

  siteOf(peer: Peer): string | undefined {
    return this.#sites.get(peer)
  }

  /** The leaders that one of this rank chooses, and those that choose it. */
  #partnersElsewhere(site: string, rank: number): Peer[] {
    const here = this.#leaders.get(site)?.length ?? 0
    const partners: Peer[] = []
    for (const [other, leaders] of this.#leaders) {
      if (other === site) continue
      leaders.forEach((leader, at) => {
        const isChosen = chooses(rank, at, leaders.length) || chooses(at, rank, here)
        if (leader !== undefined && isChosen) partners.push(leader)
      })
    }
    return partners
  }
}

/** Whether a leader chooses the one with this rank among `count` of another site. */
const chooses = (own: number, rank: number, count: number): boolean =>
  (rank - (own % count) + count) % count < PARTNERS_AT_SITE

/** Gives the peer the first free rank; -1 when there is none. */
function appoint<Peer>(peer: Peer, leaders: (Peer | undefined)[]): number {
  const free = leaders.indexOf(undefined)
  const rank = free >= 0 ? free : leaders.length
  if (rank >= LEADERS) return -1
  leaders[rank] = peer
  return rank
}
