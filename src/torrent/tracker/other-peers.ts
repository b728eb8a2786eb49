import Server, { type Answered, type TrackedPeer } from 'bittorrent-tracker/server'
import { formatAddress } from '../../system/addresses.ts'
import { encodeCompact } from '../encoding/compact.ts'
import { PARTNERS_KEY, PARTNERS6_KEY, RANK_KEY } from './announce.ts'
import type { AnnounceParams } from './announced-address.ts'
import { type Guidance, SiteRoster } from './sites/site-roster.ts'

/**
 * Makes the tracker module leave the asking peer out of its answer. rtorrent keeps one peer for each address: if it were told of
 * itself, it would not dial a seeder on its own machine. An agent that names its site gets only the peers of that site, and the
 * others that it should connect to.
 */
export class OtherPeers extends Server.Swarm {
  readonly #roster = new SiteRoster<string>()
  /** The site of the peer that asks. */
  #site: string | undefined

  /**
   * The module keeps what it knows of an address, the peer id and whether the peer is complete, although another client is there now:
   * one that was killed and started again announces a new id from the same port.
   */
  override announce(params: AnnounceParams, done: Answered): void {
    const known = this.peers.peek(params.addr)
    if (known && known.peerId !== params.peer_id) this._onAnnounceStopped(params, known, params.addr)
    const { site, left } = params
    const guidance =
      site && params.event !== 'stopped' ? this.#roster.came(params.addr, site, left === 0) : undefined
    this.#site = guidance && site
    super.announce(
      params,
      guidance ? (error, answer) => done(error, answer && guided(answer, guidance)) : done,
    )
  }

  /** Also called for a peer that has not been heard of for long. */
  override _onAnnounceStopped(params: AnnounceParams, peer: TrackedPeer | undefined, id: string): void {
    if (peer) this.#roster.left(formatAddress(peer.ip, peer.port))
    super._onAnnounceStopped(params, peer, id)
  }

  override _getPeers(want: number, asking: string, isWebRtc: boolean): TrackedPeer[] {
    const all = super._getPeers(this.#site === undefined ? want + 1 : Infinity, asking, isWebRtc)
    return all.filter((peer) => peer.peerId !== asking && this.#isHere(peer)).slice(0, want)
  }

  #isHere({ ip, port }: TrackedPeer): boolean {
    const site = this.#site && this.#roster.siteOf(formatAddress(ip, port))
    return site === undefined || site === this.#site
  }
}

function guided(answer: object, { rank = -1, partners }: Guidance<string>): object {
  const six = encodeCompact(partners, 6)
  return {
    ...answer,
    [RANK_KEY]: rank,
    [PARTNERS_KEY]: encodeCompact(partners, 4),
    ...(six.length > 0 ? { [PARTNERS6_KEY]: six } : {}),
  }
}
