import type { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { RelayPorts } from '../../protocol/tunnel/tunnel.ts'
import type { Placement } from '../hosts/placement.ts'
import type { Transfer } from '../transfer/transfer.ts'

/** What a server needs to know of a swarm to take part. */
export interface ReachableSwarm {
  placement: Placement
  seederPort: number
  /** Ports on the loopback of servers that reach tracker and seeder through SSH. */
  relays?: ReadonlyMap<Server, RelayPorts>
  /** Content bytes that all seeders have sent so far, where that is known. */
  sent(): number
  /** Before a server gets its order: the way through SSH, where that is how it gets here, then leads to this seeder. */
  lead?(server: Server): void
}

/** The tracker and the seeders of one deploy: one for each transfer that is needed. */
export interface Swarm extends ReachableSwarm {
  /** Undefined when the tracker is elsewhere, or there is none. */
  trackerPort: number | undefined
  /** Settles, with why, when tracker or seeder end before they are stopped. */
  broken: Promise<MurderError | undefined>
  /** Where a transfer is seeded, the package also where it was made later: starts its seeder unless it runs. Throws when it does not start. */
  reach(transfer: Transfer): Promise<ReachableSwarm>
  stop(): Promise<void>
}
