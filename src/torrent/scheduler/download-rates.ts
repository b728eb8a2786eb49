import { IncomingRate } from './incoming-rate.ts'
import type { PeerState } from './peer-state.ts'

/** The least rate that is expected from all peers together, so that the download can begin. */
export const MIN_RATE_BYTES_PER_S = 3e6

/** How fast the content comes, from all peers together, and how fast it should. */
export class DownloadRates {
  /** From asking to getting a block, seconds, smoothed over all peers; 0 before the first one. */
  latencyS = 0
  /** What all neighbours together should bring, bytes a second. */
  target = MIN_RATE_BYTES_PER_S
  readonly #all = new IncomingRate()
  readonly #far = new IncomingRate()
  /** By the names of the sites. */
  readonly #ofSites = new Map<string, IncomingRate>()

  /** Bytes a second from other sites; 0 until that is known. */
  get far(): number {
    return this.#far.value
  }

  /** Bytes a second from the site with this name; 0 until that is known. */
  ofSite(site: string): number {
    return this.#ofSites.get(site)?.value ?? 0
  }

  /** A block came `latencyS` after it was asked for. */
  arrived(bytes: number, { isNear, site }: PeerState, latencyS: number, nowS: number): void {
    this.latencyS = this.latencyS === 0 ? latencyS : this.latencyS * 0.9 + latencyS * 0.1
    this.#all.arrived(bytes, nowS)
    if (isNear) return
    this.#far.arrived(bytes, nowS)
    if (site !== undefined) this.#rateOf(site).arrived(bytes, nowS)
  }

  /**
   * The target is the rate at which neighbours have sent, or the rate at which the fastest of them downloads. Without the second,
   * a peer that started late or was delayed would request less than the others, get less of every uplink, and stay behind.
   */
  updateTarget(peers: Iterable<PeerState>): void {
    this.target = Math.max(MIN_RATE_BYTES_PER_S, this.#all.value)
    for (const { ownRate, isSeeder, isNear } of peers)
      if (!isSeeder && isNear) this.target = Math.max(this.target, ownRate.value)
  }

  #rateOf(site: string): IncomingRate {
    const rate = this.#ofSites.get(site) ?? new IncomingRate()
    this.#ofSites.set(site, rate)
    return rate
  }
}
