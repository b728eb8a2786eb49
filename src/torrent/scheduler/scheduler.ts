import { DownloadRates } from './download-rates.ts'
import type { Block, BlockRequest } from './partial-piece.ts'
import { PeerState } from './peer-state.ts'
import { PendingRequests } from './pending-requests.ts'
import { PiecePicker } from './piece-picker.ts'
import { PieceSet } from './piece-set.ts'
import { RequestPlanner } from './request-planner.ts'
import type { FlowsWindow } from './request-window.ts'
import { memberKey } from './sites/rendezvous.ts'
import type { OwnSite, SiteFacts } from './sites/site-facts.ts'
import { SiteImports } from './sites/site-imports.ts'

/** A peer that has rejected a request is not asked for so long. */
const REJECTED_PAUSE_S = 0.05
/** Memory for partial pieces. */
const PARTIAL_BYTES = 48 * 1024 * 1024

export interface SchedulerOptions {
  /** Bytes of the whole content. */
  length: number
  /** Bytes. */
  pieceLength: number
  /** Uniform in [0, 1). */
  random: () => number
  /** Memory for partial pieces. */
  partialBytes?: number
  own?: OwnSite
}

/** A request to take back. */
export interface Cancel {
  peer: number
  block: Block
}

export interface Arrival {
  /** Whether any byte of the block was missing. */
  fresh: boolean
  /** Whether it is the first block of its piece, or the first one since the piece began anew. */
  first: boolean
  /** With `first`: the units that are on the disk already and are not zeros. They belong to the piece when it is checked. */
  unverified?: Uint8Array | undefined
  /** Requests to other peers for the same bytes. */
  cancel: readonly Cancel[]
  /** Every block of the piece is here: check its hash, then call `checked`. */
  complete: boolean
}

const NONE: Arrival['cancel'] = []
const NOTHING_NEW: Arrival = { fresh: false, first: false, cancel: NONE, complete: false }

/**
 * Decides which block to ask of which peer. Knows no socket, clock or timer: events come in with the time in seconds, decisions
 * go out. The same code runs in a peer, in unit tests and in the simulation.
 *
 * A piece is requested from one peer at a time (its owner), rarest first. Other peers are asked for it only when they have
 * nothing else to send, and for a block that another peer owes only when that is late.
 */
export class Scheduler {
  readonly have: PieceSet
  readonly pieceCount: number
  readonly picker: PiecePicker
  readonly sites: SiteImports
  readonly #peers = new Map<number, PeerState>()
  readonly #options: SchedulerOptions
  readonly #rates = new DownloadRates()
  readonly #pending: PendingRequests
  readonly #planner: RequestPlanner

  constructor(options: SchedulerOptions) {
    this.#options = options
    const { length, pieceLength, random, partialBytes = PARTIAL_BYTES } = options
    this.pieceCount = Math.ceil(length / pieceLength)
    this.have = new PieceSet(this.pieceCount)
    const maxPartials = Math.max(2, Math.floor(partialBytes / pieceLength))
    this.picker = new PiecePicker(this.pieceCount, maxPartials, random)
    this.sites = new SiteImports(this.pieceCount, options.own ?? { key: '' }, this.#peers)
    this.#pending = new PendingRequests(this.#peers, this.picker)
    this.#planner = new RequestPlanner({
      peers: this.#peers,
      picker: this.picker,
      sites: this.sites,
      rates: this.#rates,
      pieceLengthOf: this.pieceLength,
      pieceLength,
      pending: this.#pending,
    })
  }

  get done(): boolean {
    return this.have.full
  }

  /** Whether any neighbour is our seeder, or has something that is missing here. */
  get hasSource(): boolean {
    const brings = ({ isSeeder, has }: PeerState) => isSeeder || has.firstOutside(this.have) !== undefined
    return [...this.#peers.values()].some(brings)
  }

  /** Content bytes that are verified. */
  get bytesHere(): number {
    const { pieceLength } = this.#options
    const last = this.pieceCount - 1
    const missingInLast = this.have.has(last) ? pieceLength - this.pieceLength(last) : 0
    return this.have.size * pieceLength - missingInLast
  }

  readonly pieceLength = (piece: number): number =>
    Math.min(this.#options.pieceLength, this.#options.length - piece * this.#options.pieceLength)

  /** The piece is here from the start: in a seeder, or from an earlier run. */
  alreadyHave(piece: number): void {
    this.have.add(piece)
    this.picker.open.delete(piece)
  }

  /** Some units of the piece, but not all, are on the disk. They count as right until the piece is checked. */
  partlyHave(piece: number, units: Uint8Array): void {
    this.picker.unverified.set(piece, units)
  }

  /** For how long blocks are asked in advance. */
  get aheadS(): number {
    return this.#planner.aheadS
  }

  /** Participants, this one included. */
  setSwarmSize(size: number): void {
    this.#planner.setSwarmSize(size)
  }

  // ---- peers

  join(id: number, largestBlock: number, nowS: number): void {
    this.#peers.set(id, new PeerState(id, this.pieceCount, largestBlock, nowS))
    this.sites.changed()
  }

  leave(id: number): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    for (const piece of peer.has) this.picker.copyRemoved(piece)
    this.#peers.delete(id)
    this.sites.changed()
    this.#pending.releaseAll(peer)
  }

  /** What the peer has said about itself since it joined. */
  describe(id: number, about: { largestBlock: number; isSeeder: boolean }): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    Object.assign(peer, about)
    this.sites.changed()
  }

  /** Where the peer is. Until it is known, it counts as near. */
  locate(id: number, { isNear, site, key, rank }: SiteFacts): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    peer.isNear = isNear
    peer.site = site
    peer.siteKey = memberKey(key, rank)
    this.sites.changed()
  }

  /** A member of this site says that it fetches the piece from another site. */
  peerImports(id: number, piece: number, nowS: number): void {
    const peer = this.#peers.get(id)
    if (peer) this.sites.claimed(peer, piece, nowS)
  }

  /** Pieces that were asked of other sites since the last call: other members of this site must know. */
  takeImports(): readonly number[] {
    const { imports } = this.#planner
    if (imports.length > 0) this.#planner.imports = []
    return imports
  }

  /** Pieces that are asked of other sites, or will be soon: members of this site that join must know. */
  get importsUnderWay(): number[] {
    const begun = [...this.picker.partials.values()].filter(({ isImport }) => isImport)
    return [...begun.map(({ piece }) => piece), ...this.sites.reserved]
  }

  /** There are several connections to the peer, which together take this window; or only one again. */
  setFlows(id: number, flows: FlowsWindow | undefined): void {
    const peer = this.#peers.get(id)
    if (peer) peer.window.flows = flows
  }

  /**
   * The connection to the peer: `roundTripS` is 0 unless it is long, `isHungry` says whether it owes blocks, `isOfFew` whether
   * there are few peers in all, `sharers` how many neighbours are at the other end of the same link, as far as is known.
   */
  wayTo(id: number): { roundTripS: number; isHungry: boolean; isOfFew: boolean; sharers: number } {
    const peer = this.#peers.get(id)
    return {
      roundTripS: peer?.window.isLong ? peer.window.roundTripS : 0,
      isHungry: peer?.busy ?? false,
      isOfFew: this.#planner.isFew,
      sharers: peer && !peer.isNear ? this.sites.farCount : 1,
    }
  }

  /** Something went to the peer and came back in `mostS`; at least `leastS` of that was on the network. */
  measured(id: number, mostS: number, leastS: number): void {
    this.#peers.get(id)?.window.measured(mostS, leastS)
  }

  /** The peer has the piece. `newAtS` is the time if it has just got it. Returns whether the piece is missing here. */
  peerHas(id: number, piece: number, newAtS?: number): boolean {
    const peer = this.#peers.get(id)
    if (!peer || piece < 0 || piece >= this.pieceCount || peer.has.has(piece)) return false
    peer.has.add(piece)
    if (newAtS !== undefined) peer.ownRate.arrived(this.pieceLength(piece), newAtS)
    this.picker.copyAdded(piece, newAtS !== undefined)
    this.sites.peerHas(peer, piece, newAtS)
    return !this.have.has(piece)
  }

  isFar(id: number): boolean {
    return this.#peers.get(id)?.isNear === false
  }

  /** Whether neighbours at other sites should hear at once that the piece is here. */
  isNewsElsewhere(piece: number): boolean {
    return this.sites.isNews(piece, this.#planner.isMesh)
  }

  peerIsFull(id: number): boolean {
    return this.#peers.get(id)?.has.full ?? false
  }

  peerHasPiece(id: number, piece: number): boolean {
    return this.#peers.get(id)?.has.has(piece) ?? false
  }

  /** `keepsRequests`: whether the peer will still answer pending requests (BEP 6). */
  choked(id: number, keepsRequests: boolean): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    peer.choking = true
    if (!keepsRequests) this.#pending.releaseAll(peer)
  }

  unchoked(id: number): void {
    const peer = this.#peers.get(id)
    if (peer) peer.choking = false
  }

  // ---- requests

  /**
   * The requests to send now: at most `budget` bytes, of which `farBudget` may come from other sites. Call it after every event
   * that makes room or brings news, with that event's peer as `only`, and for all peers after `tick`.
   */
  nextRequests(
    nowS: number,
    only?: number,
    budget = Number.POSITIVE_INFINITY,
    farBudget = Number.POSITIVE_INFINITY,
  ): BlockRequest[] {
    if (this.done) return []
    return this.#planner.requests(
      only === undefined ? undefined : this.#peers.get(only),
      nowS,
      budget,
      farBudget,
    )
  }

  // ---- answers

  /** A block came. Undefined when it was never requested: then discard it. */
  arrived(id: number, block: Block, nowS: number): Arrival | undefined {
    const peer = this.#peers.get(id)
    const request = peer?.find(block)
    if (!peer || !request) return undefined
    this.#pending.drop(request)
    peer.answered(request, nowS)
    this.#rates.arrived(block.length, peer, nowS - request.askedAtS, nowS)
    this.sites.arrived(peer, block.length, nowS)

    const partial = this.picker.partials.get(block.piece)
    if (!partial) return NOTHING_NEW
    const first = partial.isUntouched
    const fresh = partial.arrived(block) > 0
    this.picker.changed(partial)
    const cancel = partial.madeNeedlessBy(block)
    for (const other of cancel) this.#pending.drop(other)
    const complete = partial.missing === 0
    if (complete) this.picker.complete(block.piece)
    const unverified = first ? partial.unverified : undefined
    return {
      fresh,
      first,
      unverified,
      cancel: cancel.length === 0 ? NONE : toCancel(cancel),
      complete,
    }
  }

  /** The peer will not send the block (BEP 6). */
  rejected(id: number, block: Block, nowS: number): void {
    const peer = this.#peers.get(id)
    const request = peer?.find(block)
    if (!peer || !request) return
    this.#pending.release(request)
    peer.pausedUntilS = Math.max(peer.pausedUntilS, nowS + REJECTED_PAUSE_S)
  }

  /** Drops the bytes of a partial piece, because they are worthless. Returns the requests to cancel. */
  restart(piece: number): Cancel[] {
    const partial = this.picker.partials.get(piece)
    return partial ? toCancel(this.#pending.restart(partial)) : []
  }

  /** The hash of a complete piece was checked. A wrong piece is downloaded again, from a single peer. */
  checked(piece: number, right: boolean): void {
    this.picker.checked(piece, right)
    if (right) this.have.add(piece)
  }

  /** The peer will not send these blocks, because the connection of these requests has ended. */
  lost(id: number, blocks: readonly Block[]): void {
    const peer = this.#peers.get(id)
    for (const block of blocks) {
      const request = peer?.find(block)
      if (request) this.#pending.release(request, peer)
    }
  }

  /** Gives up the requests to peers that stopped answering. Returns the requests to cancel. Call it every 0.1 s or so. */
  tick(nowS: number): Cancel[] {
    this.#rates.updateTarget(this.#peers.values())
    this.sites.tick(nowS)
    const expired = this.#pending.expire(this.#rates.latencyS, nowS)
    if (expired.length > 0) this.sites.changed()
    return toCancel(expired)
  }
}

const toCancel = (requests: readonly BlockRequest[]): Cancel[] =>
  requests.map((block) => ({ peer: block.peer, block }))
