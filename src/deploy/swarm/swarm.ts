import type { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { RelayPorts } from '../../protocol/tunnel/tunnel.ts'
import type { Placement } from '../hosts/placement.ts'
import type { RemotePeer } from '../peers/remote-peer.ts'
import type { Transfer } from '../transfer/transfer.ts'

/** What a server needs to know about a swarm to take part. */
export interface ReachableSwarm {
  placement: Placement
  seederPort: number
  /** Ports on the loopback of servers that reach tracker and seeder through SSH. */
  relays?: ReadonlyMap<Server, RelayPorts>
  /** The ways of the servers to tracker and seeder were tried beforehand. */
  areWaysTried?: boolean
  /** Content bytes that all seeders have sent so far, where that is known. */
  sent(): number
  /**
   * Called with a server's peer that waits for an order, where its way to tracker and seeder is not known yet. Returns the swarm as
   * this server reaches it.
   */
  meet?(server: Server, peer: RemotePeer): Promise<ReachableSwarm>
  /** Called before a server gets its order, so that its relay, if it has one, leads to this seeder. */
  lead?(server: Server): void
}

/** The tracker and the seeders of one deploy: one for each transfer that is needed. */
export interface Swarm extends ReachableSwarm {
  /** Undefined when the tracker is elsewhere, or there is none. */
  trackerPort: number | undefined
  /** Settles with the reason when tracker or seeder end before they are stopped. */
  broken: Promise<MurderError | undefined>
  /** Where a transfer is seeded, including a package that was made later. Starts its seeder if needed. Throws when that fails. */
  reach(transfer: Transfer): Promise<ReachableSwarm>
  stop(): Promise<void>
}
