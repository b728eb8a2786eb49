/** A swarm of at most so many participants is a full mesh; a larger one is a random graph. */
const MAX_MESH = 33
/** In a larger swarm: neighbours that a peer looks for, and the most that it has of other agents. */
const DEGREE = 10
const MAX_DEGREE = 11
/** The most neighbours of a seeder, in a small swarm, and with other clients, for which a peer always has room. */
const MAX_NEIGHBOURS = 64
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

/** How many more connections to open. */
export function toOpen({ swarm, neighbours, ageS }: Topology): number {
  const wanted = swarm <= MAX_MESH ? MAX_MESH - 1 : ageS < SETTLING_S ? DEGREE / 2 : DEGREE
  return Math.max(0, wanted - neighbours)
}

/** Whether to accept one more connection. `seeder`: whether this is a seeder; `agent`: whether the other side is an agent. */
export function accepts({ swarm, neighbours }: Topology, who: { seeder: boolean; agent: boolean }): boolean {
  const most = swarm <= MAX_MESH || who.seeder || !who.agent ? MAX_NEIGHBOURS : MAX_DEGREE
  return neighbours < most
}
