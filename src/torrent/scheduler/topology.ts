/** A swarm of at most this many is connected each to each; a larger one is a random graph. */
const MESH = 33
/** Neighbours that a peer of a larger swarm looks for, and more of our own kind it takes none. */
const DEGREE = 10
const MOST = 11
/** Neighbours of any kind: of a seeder, of a small swarm, and room that other programs find with us. */
const MOST_OF_ALL = 64
/** Seconds in which a peer opens only half of its connections: the others are for those who start later. */
const SETTLING = 0.3

/**
 * Who is connected to whom. In a larger swarm everybody has nearly the same number of neighbours: each of them gets an equal
 * share of an uplink, so whoever had fewer would fall behind, and few are enough to reach everybody in a few steps (NOTES.md).
 */
export interface Topology {
  /** Participants, as far as is known, this one included. */
  swarm: number
  neighbours: number
  /** Seconds since this one started. */
  age: number
}

/** How many more connections to open. */
export function toOpen({ swarm, neighbours, age }: Topology): number {
  const wanted = swarm <= MESH ? MESH - 1 : age < SETTLING ? DEGREE / 2 : DEGREE
  return Math.max(0, wanted - neighbours)
}

/** Whether to take one more connection: as a seeder or not, from an agent or from another program. */
export function accepts({ swarm, neighbours }: Topology, who: { seeder: boolean; agent: boolean }): boolean {
  const most = swarm <= MESH || who.seeder || !who.agent ? MOST_OF_ALL : MOST
  return neighbours < most
}
