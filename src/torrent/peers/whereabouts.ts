/** A round trip inside of one place, seconds. In the same network more is still near: its machines may be busy. */
const NEAR_S = 0.01
const NEAR_IN_NETWORK_S = 0.03
/** A long way always takes about the same. What takes now this and now that waits for a busy machine, and says nothing. */
const STEADY = 1.25

/** What is known of where a neighbour is. */
export interface Whereabouts {
  ownSite: string | undefined
  /** The site that it says. */
  site: string | undefined
  isLoopback: boolean
  /** Whether one of this machine's own networks has its address. */
  isInNetwork: boolean
  /** What it took from here to it and back, each time. */
  roundTripsS: readonly number[]
}

/**
 * Whether a neighbour counts as a member of our own site: by the names of both, else by the way to it. While that is not clear,
 * the network decides.
 */
export function isNear({ ownSite, site, isLoopback, isInNetwork, roundTripsS }: Whereabouts): boolean {
  if (ownSite !== undefined && site !== undefined) return ownSite === site
  if (isLoopback) return true
  const [least, second] = [...roundTripsS].sort((a, b) => a - b)
  if (least === undefined) return isInNetwork
  if (least < (isInNetwork ? NEAR_IN_NETWORK_S : NEAR_S)) return true
  return isInNetwork && (second === undefined || second > least * STEADY)
}
