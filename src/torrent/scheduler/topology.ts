/** A swarm of at most so many participants is a full mesh; a larger one is a random graph. */
const MAX_MESH = 33
/** In a larger swarm: neighbours that a peer looks for, and the most that it has of other agents. */
const DEGREE = 10
const MAX_DEGREE = 11
/** The most neighbours of a seeder, in a small swarm, and with other clients, for which a peer always has room. */
const MAX_NEIGHBOURS = 64
/** The most neighbours of a member that others of its site find by name (roster.ts). */
const MAX_FOLLOWERS = 512
/** For so long a peer opens only half of its connections. The others are for peers that start later. */
const SETTLING_S = 0.3

/**
 * What decides how many neighbours a participant has. In a larger swarm all have nearly the same number. Each neighbour gets an
 * equal share of an uplink, so a peer with fewer neighbours would fall behind; and few are enough to reach everyone in a few
 * hops (NOTES.md).
 */
export interface Topology {
  /** Participants, as far as is known, this one included. */
  swarm: number
  neighbours: number
  /** Since this participant started. */
  ageS: number
}

/** The other side of a connection. */
export interface Caller {
  /** Whether it is an agent. */
  agent: boolean
  /** Whether it finds this participant by name, or this one it: one of them imports for its site. */
  isPartner?: boolean
  /** At another site. */
  isFar?: boolean
}

/** How many more connections to open. */
export function toOpen({ swarm, neighbours, ageS }: Topology): number {
  const wanted = swarm <= MAX_MESH ? MAX_MESH - 1 : ageS < SETTLING_S ? DEGREE / 2 : DEGREE
  return Math.max(0, wanted - neighbours)
}

/** Whether in such a swarm all are to be neighbours of all. */
export const isMesh = (swarm: number): boolean => swarm <= MAX_MESH

/** Whether to accept one more connection. `seeder`: whether this is a seeder. */
export function accepts(
  { swarm, neighbours }: Topology,
  { seeder, agent, isPartner = false, isFar = false }: Caller & { seeder: boolean },
): boolean {
  if (isPartner) return neighbours < MAX_FOLLOWERS
  if (isFar && !isMesh(swarm)) return false
  const most = isMesh(swarm) || seeder || !agent ? MAX_NEIGHBOURS : MAX_DEGREE
  return neighbours < most
}
