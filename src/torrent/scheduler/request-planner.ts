import { type DownloadRates, MIN_RATE_BYTES_PER_S } from './download-rates.ts'
import { lateBlock } from './end-game.ts'
import type { Block, BlockRequest, PartialPiece } from './partial-piece.ts'
import type { PeerState } from './peer-state.ts'
import type { PendingRequests } from './pending-requests.ts'
import type { Owners, PiecePicker } from './piece-picker.ts'
import type { SiteImports } from './sites/site-imports.ts'
import { isMesh } from './topology.ts'

/** With at most so many neighbours, no share is reserved for others. */
const FEW_NEIGHBOURS = 2
/**
 * Pending requests to all peers together should cover this time, besides the round trip. It covers hiccups of busy machines. In a
 * larger swarm a piece takes more hops and waits in more of these queues. So with more participants than `SMALL_SWARM` the time
 * shrinks with the cube of their number, down to the minimum.
 */
const AHEAD_S = 0.15
const MIN_AHEAD_S = 0.005
const SMALL_SWARM = 16
/** At least this share of a piece is requested from a super-seeder, because only the pieces that it shows keep its uplink busy. */
const MIN_SHARE_OF_SHOWN = 0.5
/**
 * How much may be requested in advance from other sites: so many seconds' worth besides the round trip, or so many round trips'
 * worth. With less, TCP would start slowly.
 */
const FAR_AHEAD_S = 0.3
const FAR_ROUND_TRIPS = 3
/** The same while the rate from there is unknown or very low. */
const FIRST_FAR_BYTES = 128 * 1024
const MIN_FAR_BYTES = 32 * 1024

/** What the requests depend on. */
export interface Situation {
  peers: ReadonlyMap<number, PeerState>
  picker: PiecePicker
  sites: SiteImports
  rates: DownloadRates
  /** Bytes of a piece, and of all pieces but the last. */
  pieceLengthOf: (piece: number) => number
  pieceLength: number
  pending: PendingRequests
}

/** Decides how much a peer is asked for, and which blocks. */
export class RequestPlanner implements Owners {
  /** For how long ahead blocks are requested. */
  aheadS = AHEAD_S
  /** Pieces that were requested from other sites, until the scheduler takes them to tell the other members of this site. */
  imports: number[] = []
  readonly #situation: Situation
  /** Participants, this one included, as far as is known. */
  #swarmSize = 0
  #nowS = 0

  constructor(situation: Situation) {
    this.#situation = situation
  }

  setSwarmSize(size: number): void {
    this.#swarmSize = size
    this.aheadS = Math.max(MIN_AHEAD_S, AHEAD_S * Math.min(1, SMALL_SWARM / size) ** 3)
  }

  get isMesh(): boolean {
    return isMesh(this.#swarmSize)
  }

  get isFew(): boolean {
    return Math.max(this.#situation.peers.size, this.#swarmSize - 1) <= FEW_NEIGHBOURS
  }

  /** The requests to send now to one peer, or to all: at most `budget` bytes, of which `farBudget` may come from other sites. */
  requests(only: PeerState | undefined, nowS: number, budget: number, farBudget: number): BlockRequest[] {
    const requests: BlockRequest[] = []
    let left = budget
    let farLeft = farBudget
    for (const peer of only ? [only] : [...this.#situation.peers.values()].sort(inOrder)) {
      if (left <= 0) break
      const bytes = this.#ask(peer, nowS, peer.isNear ? left : Math.min(left, farLeft), requests)
      left -= bytes
      if (!peer.isNear) farLeft -= bytes
    }
    return requests
  }

  /** Asks the peer for at most `budget` bytes. Adds to `requests`, and returns the bytes that were asked for. */
  #ask(peer: PeerState, nowS: number, budget: number, requests: BlockRequest[]): number {
    if (peer.choking || nowS < peer.pausedUntilS) return 0
    const { pending, pieceLength } = this.#situation
    this.#nowS = nowS
    peer.window.resize({
      rate: this.#shareOf(peer, nowS),
      aheadS: this.aheadS,
      minBytes: peer.isSuperSeeding ? MIN_SHARE_OF_SHOWN * pieceLength : 0,
      isOfFew: this.isFew,
    })
    const most = peer.isNear ? budget : Math.min(budget, this.#farRoom(peer))
    let bytes = 0
    while (bytes < most && peer.hasRoom) {
      const block = this.#nextBlock(peer, nowS)
      if (!block) {
        if (!peer.isNear) this.#reserve(peer, nowS)
        break
      }
      requests.push(pending.add(peer, block, nowS))
      bytes += block.length
    }
    return bytes
  }

  isBusy(id: number): boolean {
    return this.#situation.peers.get(id)?.busy ?? false
  }

  isLost(id: number): boolean {
    const peer = this.#situation.peers.get(id)
    return !peer || peer.choking || this.#nowS < peer.pausedUntilS
  }

  restart(partial: PartialPiece): void {
    this.#situation.pending.restart(partial)
  }

  /**
   * If each neighbour at the other end of a link had a window of its own, together they would fill the link's queue. Several members
   * that import would do the same. So all windows of this member together cover a fixed time, however many there are. All windows to
   * one site do so, too: otherwise the queue at a busy site would take all requests, and none would go to the other sites.
   */
  #farRoom({ window, site }: PeerState): number {
    if (this.isFew) return Number.POSITIVE_INFINITY
    const { peers, rates } = this.#situation
    const wayS = window.knownRoundTripS
    let owedBytes = 0
    let owedOfSite = 0
    for (const peer of peers.values()) {
      if (peer.isNear) continue
      owedBytes += peer.owedBytes
      if (peer.site === site) owedOfSite += peer.owedBytes
    }
    const room = farBytes(rates.far, wayS) - owedBytes
    return site === undefined ? room : Math.min(room, farBytes(rates.ofSite(site), wayS) - owedOfSite)
  }

  /**
   * The rate that each neighbour should deliver, bytes a second. The rate of long links is divided among the neighbours at their
   * other ends only.
   */
  #shareOf(peer: PeerState, nowS: number): number {
    const { rates, sites } = this.#situation
    const target = peer.isNear ? rates.target : Math.max(MIN_RATE_BYTES_PER_S / sites.importers, rates.far)
    return target / sites.sharers(peer, nowS)
  }

  #nextBlock(peer: PeerState, nowS: number): Block | undefined {
    const { picker, sites, peers, rates, pieceLengthOf } = this.#situation
    const choices = sites.choices(peer, nowS)
    const partial = picker.next(peer, pieceLengthOf, this, choices)
    if (partial) {
      if (choices) this.#noteImport(partial)
      const block = partial.take(peer.window.blockLength(peer.largestBlock))
      picker.changed(partial)
      return block
    }
    // A late block may cross between sites a second time only at the end of a site's download. A peer that may not be asked for any
    // piece is not asked for it either.
    if (choices?.length === 0) return undefined
    if (choices ? sites.hasMoreOf(picker.open) : picker.open.size > 0) return undefined
    return lateBlock(peer, picker.partials.values(), peers, nowS, rates.latencyS)
  }

  #noteImport(partial: PartialPiece): void {
    if (partial.isImport) return
    partial.isImport = true
    if (this.#situation.sites.begun(partial.piece)) this.imports.push(partial.piece)
  }

  /** Nothing of its own is left to begin there: reserves pieces of other members. */
  #reserve(peer: PeerState, nowS: number): void {
    const { picker, sites, pieceLength } = this.#situation
    while (sites.bytesToReserve(pieceLength) > 0) {
      const piece = picker.newOne(peer.has, sites.reservable(peer, nowS))
      if (piece === undefined) return
      sites.reserve(piece, nowS)
      this.imports.push(piece)
    }
  }
}

/** How much may be requested in advance at this rate, over a way of `wayS`. */
function farBytes(rate: number, wayS: number): number {
  const wanted = rate * Math.max(wayS + FAR_AHEAD_S, FAR_ROUND_TRIPS * wayS)
  return wanted === 0 ? FIRST_FAR_BYTES : Math.max(MIN_FAR_BYTES, wanted)
}

/**
 * A super-seeder comes first, then the other peers, the one that owes least first, and last a seeder that shows everything: the
 * uplink of the deploy host is the scarcest of all.
 */
const inOrder = (one: PeerState, other: PeerState): number =>
  rank(one) - rank(other) || one.owedBytes - other.owedBytes

function rank(peer: PeerState): number {
  if (!peer.isSeeder) return 1
  return peer.isSuperSeeding ? 0 : 2
}
