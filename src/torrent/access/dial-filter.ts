import { addressMatcher, isLoopback, parseAddress } from '../../system/addresses.ts'

/** Whether we may dial an address (`host:port`). `from` is the host of the tracker or neighbour that has sent it. */
export type DialFilter = (address: string, from: string) => boolean

/**
 * Allows the machines of the fleet, where they are known, and those that the user or the deploy has named. Otherwise one member
 * of a swarm could make all others connect to any machine. This machine's own addresses are allowed only when they come from this
 * machine.
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
