/** What is known of where a neighbour is. */
export interface Whereabouts {
  ownSite: string | undefined
  /** The site that it says. */
  site: string | undefined
  /** Whether it is on this machine, or has an address of one of this machine's own networks. */
  isInNetwork: boolean
  /** Whether it is certain that the way to it is long. */
  isLong: boolean
}

/**
 * Whether a neighbour counts as a member of our own site: by the names of both, else by the way to it. Whoever is not certainly
 * far is near: so within a LAN nobody is ever far, however busy its machines are.
 */
export function isNear({ ownSite, site, isInNetwork, isLong }: Whereabouts): boolean {
  if (ownSite !== undefined && site !== undefined) return ownSite === site
  return isInNetwork || !isLong
}
