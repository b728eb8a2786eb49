import { addressMatcher, isLoopback, parseAddress } from '../../system/addresses.ts'

/** Whether an address (`host:port`) that `from`, a tracker's or a neighbour's host, tells of may be used. */
export type DialFilter = (address: string, from: string) => boolean

/**
 * Lets pass the machines of the fleet, where they are known, and those that the user or the deploy has named. Without it, one
 * member of a swarm could send all others to any machine. This machine's own addresses count only when they come from it.
 */
export function dialFilter(
  hosts: () => readonly string[] | undefined,
  named: readonly string[] = [],
): DialFilter {
  const namedHosts = named.map((address) => parseAddress(address)?.host ?? '')
  let seen: readonly string[] | undefined
  let isKnown = (_: string) => true
  return (address, from) => {
    const host = parseAddress(address)?.host ?? ''
    if (isLoopback(host)) return isLoopback(from)
    const now = hosts()
    if (now !== seen) isKnown = now ? addressMatcher([...now, ...namedHosts]) : () => true
    seen = now
    return isKnown(host)
  }
}
