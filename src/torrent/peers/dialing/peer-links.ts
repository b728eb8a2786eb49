import type { Socket } from 'node:net'

/** Connections to other peers that are not TCP connections of this process. */
export interface PeerLinks {
  /** `host:port` of each peer that can be reached this way. It is only a name. */
  readonly addresses: readonly string[]
  /** A socket to one of them, which is not read yet. Rejects when there is no connection. */
  connect(address: string): Promise<Socket>
  /** From now on, passes on sockets that others have opened, each with the host it comes from. */
  takeWith(take: (socket: Socket, host: string) => void): void
}
