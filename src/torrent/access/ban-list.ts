/** Different peers of one machine that must have sent wrong bytes before nobody of that machine is trusted. */
const STRIKES = 3

interface Suspect {
  peerId: string
  remoteHost: string
  /** `host:port` where it listens, if that is known. */
  address: string | undefined
}

/**
 * Peers that have sent wrong bytes. Several may share an address, behind a router or on one machine, so at first only the
 * peer itself is banned: by its id and by where it listens.
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

  /** Whether it is not worth dialing. */
  hasAddress(host: string, address: string | undefined): boolean {
    return (this.#strikes.get(host) ?? 0) >= STRIKES || (address !== undefined && this.#peers.has(address))
  }
}
