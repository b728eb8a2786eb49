import { isIP } from 'node:net'
import type { Server } from '../../fleet/ssh/server.ts'
import type { ReceiveOrder } from '../../protocol/order.ts'
import { formatAddress } from '../../system/addresses.ts'
import { announceUrl } from '../../torrent/tracker/announce-url.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import type { ReachableSwarm } from '../swarm/swarm.ts'

const LOOPBACK = '127.0.0.1'

/** Where a server finds tracker and seeder; behind a relay, which hides its address, also what it announces. */
export function swarmAddresses(
  { placement, seederPort, relays }: ReachableSwarm,
  server: Server,
  facts: FleetFacts,
  hasSecret: boolean,
): Pick<ReceiveOrder, 'trackers' | 'peers' | 'address'> {
  const relay = relays?.get(server)
  const isRelayed = (site: 'tracker' | 'seeder') => relay && placement[site].server === undefined
  const trackers =
    isRelayed('tracker') && placement.hasOwnTracker
      ? [announceUrl(LOOPBACK, relay?.tracker ?? 0, hasSecret)]
      : placement.announceUrls(server, hasSecret)
  const seeder = isRelayed('seeder')
    ? formatAddress(LOOPBACK, relay?.seeder ?? 0)
    : formatAddress(placement.seederAddress(server), seederPort)
  const { serverAddress: address } = facts.get(server) ?? {}
  return { trackers, peers: [seeder], ...(relay && address && isIP(address) > 0 ? { address } : {}) }
}
