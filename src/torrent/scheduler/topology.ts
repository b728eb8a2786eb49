/** A swarm of at most so many participants is a full mesh; a larger one is a random graph. */
const MAX_MESH = 33
/** In a larger swarm: how many neighbours a peer looks for, and how many agents it has at most. */
const DEGREE = 10
const MAX_DEGREE = 11
/** The most neighbours of a seeder, and of a peer in a small swarm. In a large one, a peer accepts other clients up to here. */
const MAX_NEIGHBOURS = 64
/** The most neighbours of a peer that leads its site: all of the site connect to it. */
const MAX_FOLLOWERS = 512
/** For this long a peer opens only half of its connections. The rest is for peers that start later. */
const SETTLING_S = 0.3

/**
 * The facts that decide how many neighbours a participant has. In a larger swarm all have nearly the same number: each neighbour
 * gets an equal share of an uplink, so a peer with fewer would fall behind. A few neighbours are enough to reach everyone in a
 * few hops (NOTES.md).
 */
export interface Topology {
  /** Participants, as far as is known, this one included. */
  swarm: number
  neighbours: number
  /** Since this participant started. */
  ageS: number
  /**
   * Whether it leads its site in a larger swarm (`../tracker/sites/site-roster.ts`). For others, leaders do not count as neighbours:
   * members that knew these alone would all be fed by them.
   */
  leads?: boolean
}

/** The other side of a connection. */
export interface Caller {
  /** Whether it is an agent. */
  agent: boolean
}

/** How many more connections to open. */
export function toOpen({ swarm, neighbours, ageS, leads = false }: Topology): number {
  const wanted = leads || isMesh(swarm) ? MAX_MESH - 1 : ageS < SETTLING_S ? DEGREE / 2 : DEGREE
  return Math.max(0, wanted - neighbours)
}

/** Whether the swarm is small enough for a full mesh. */
export const isMesh = (swarm: number): boolean => swarm <= MAX_MESH

/** Whether to accept one more connection. `seeder`: whether this is a seeder. */
export function accepts(
  { swarm, neighbours, leads = false }: Topology,
  { seeder, agent }: Caller & { seeder: boolean },
): boolean {
  if (leads) return neighbours < MAX_FOLLOWERS
  const most = isMesh(swarm) || seeder || !agent ? MAX_NEIGHBOURS : MAX_DEGREE
  return neighbours < most
}
