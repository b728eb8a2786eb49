import type { Socket } from 'node:net'

/** Ways to other peers that are no TCP connections of this process. */
export interface PeerLinks {
  /** `host:port` of each peer that can be reached so. It only names the peer. */
  readonly addresses: readonly string[]
  /** A socket to one of them, which does not read. Rejects when there is no way. */
  connect(address: string): Promise<Socket>
  /** Gives, from now on, what others have opened, and the host that each is from. */
  takeWith(take: (socket: Socket, host: string) => void): void
}
