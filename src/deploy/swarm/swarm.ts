import type { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { RelayPorts } from '../../protocol/tunnel/tunnel.ts'
import type { Placement } from '../hosts/placement.ts'

/** What a server needs to know of a swarm to take part. */
export interface ReachableSwarm {
  placement: Placement
  seederPort: number
  /** Ports on the loopback of servers that reach tracker and seeder through SSH. */
  relays?: ReadonlyMap<Server, RelayPorts>
  /** Content bytes that the seeder has sent so far, where that is known. */
  sent(): number
}

/** The tracker and the seeder of one deploy. */
export interface Swarm extends ReachableSwarm {
  /** Undefined when the tracker is elsewhere, or there is none. */
  trackerPort: number | undefined
  /** Settles, with why, when tracker or seeder end before they are stopped. */
  broken: Promise<MurderError | undefined>
  stop(): Promise<void>
}
