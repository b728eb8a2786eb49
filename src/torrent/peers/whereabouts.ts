/** A round trip inside of one place, seconds. A busy machine answers late, so in the same network more is still near. */
const NEAR_S = 0.01
const NEAR_IN_NETWORK_S = 0.03

/** What is known of where a neighbour is. */
export interface Whereabouts {
  ownSite: string | undefined
  /** The site that it says, or that the deploy has told. */
  site: string | undefined
  /** Whether one of this machine's own networks has its address. */
  isInNetwork: boolean
  /** The least that it took from here to it and back; undefined before that is known. */
  roundTripS: number | undefined
}

/** Whether a neighbour counts as a member of our own site: by the names of both, else by the way to it. */
export function isNear({ ownSite, site, isInNetwork, roundTripS }: Whereabouts): boolean {
  if (ownSite !== undefined && site !== undefined) return ownSite === site
  if (roundTripS === undefined) return isInNetwork
  return roundTripS < (isInNetwork ? NEAR_IN_NETWORK_S : NEAR_S)
}
