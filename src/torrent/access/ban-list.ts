/** Where several peers may share an address, the whole machine is banned after so many proofs of wrong bytes. */
const MAX_STRIKES = 3

export interface Suspect {
  readonly peerId: string
  readonly remoteHost: string
  /** `host:port` where the peer listens, if that is known. */
  readonly address: string | undefined
  /** Whether it says that it is our seeder. */
  readonly isSeeder?: boolean
}

/**
 * Peers that have sent wrong bytes. In a fleet each server has one address and one peer, and could take a new peer id for each
 * connection, so it is banned by its address. Elsewhere several peers may share an IP address, behind a router or on one machine:
 * there at first only the peer itself is banned, by its id and by the address where it listens.
 */
export class BanList {
  readonly #peers = new Set<string>()
  readonly #strikes = new Map<string, number>()
  readonly #isShared: (host: string) => boolean

  /** `isShared`: whether several peers may have this address. */
  constructor(isShared: (host: string) => boolean) {
    this.#isShared = isShared
  }

  /** Returns whether this is news. */
  add(suspect: Suspect): boolean {
    const { peerId, remoteHost, address } = suspect
    if (this.has(suspect)) return false
    this.#peers.add(peerId)
    if (address !== undefined) this.#peers.add(address)
    this.#strikes.set(remoteHost, (this.#strikes.get(remoteHost) ?? 0) + 1)
    return true
  }

  has({ peerId, remoteHost, address }: Suspect): boolean {
    return this.#peers.has(peerId) || this.hasAddress(remoteHost, address)
  }

  /** Whether an address must not be dialed. */
  hasAddress(host: string, address: string | undefined): boolean {
    const most = this.#isShared(host) ? MAX_STRIKES : 1
    return (this.#strikes.get(host) ?? 0) >= most || (address !== undefined && this.#peers.has(address))
  }
}
