/** After so many different peers of one machine have sent wrong bytes, the whole machine is banned. */
const MAX_STRIKES = 3

interface Suspect {
  peerId: string
  remoteHost: string
  /** `host:port` where the peer listens, if that is known. */
  address: string | undefined
}

/**
 * Peers that have sent wrong bytes. Several peers may share an IP address, behind a router or on one machine. So at first
 * only the peer itself is banned: by its id and by the address where it listens.
 */
export class BanList {
  readonly #peers = new Set<string>()
  readonly #strikes = new Map<string, number>()

  add({ peerId, remoteHost, address }: Suspect): void {
    this.#peers.add(peerId)
    if (address !== undefined) this.#peers.add(address)
    this.#strikes.set(remoteHost, (this.#strikes.get(remoteHost) ?? 0) + 1)
  }

  has({ peerId, remoteHost, address }: Suspect): boolean {
    return this.#peers.has(peerId) || this.hasAddress(remoteHost, address)
  }

  /** Whether an address must not be dialed. */
  hasAddress(host: string, address: string | undefined): boolean {
    return (
      (this.#strikes.get(host) ?? 0) >= MAX_STRIKES || (address !== undefined && this.#peers.has(address))
    )
  }
}
