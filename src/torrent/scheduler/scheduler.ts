import { lateBlock } from './end-game.ts'
import { IncomingRate } from './incoming-rate.ts'
import type { Block, Flight } from './partial-piece.ts'
import { PeerState } from './peer-state.ts'
import { PiecePicker } from './piece-picker.ts'
import { PieceSet } from './piece-set.ts'

/** A peer that owes blocks and has sent none for this long (seconds, or times the usual) loses them to others. */
const SILENT = 1
const SILENT_TIMES = 4
/** Nothing is asked for this long (seconds) of a peer that refused a block. */
const REFUSED_PAUSE = 0.05
/**
 * What should be under way from all peers together, beyond the way there and back: what comes in this time (seconds). It
 * covers hiccups of busy machines. The larger the swarm, the more hops a piece passes and the longer it waits in all these
 * queues; with more participants than `FEW` it becomes less with their cube, down to the least.
 */
const AHEAD = 0.15
const LEAST_AHEAD = 0.005
const FEW = 16
/** The whole is taken to bring at least this (bytes a second), so that it can begin. */
const LEAST_RATE = 3e6
/** Of a seeder that shows few pieces at least this share of one: what it shows is all that keeps its uplink busy. */
const SHOWN = 0.5

export interface SchedulerOptions {
  /** Bytes of the whole content, and of a piece. */
  length: number
  pieceLength: number
  /** Uniform in [0, 1). */
  random: () => number
  /** Memory for pieces under way, bytes. */
  partialBytes?: number
}

export interface Arrival {
  /** Whether any byte of the block was missing. */
  fresh: boolean
  /** Requests for the same bytes that can be taken back. */
  cancel: { peer: number; block: Block }[]
  /** Every block of the piece is here: check its hash, then call `checked`. */
  complete: boolean
}

/**
 * Decides which block to ask of whom. Knows no socket, clock or timer: events come in with the time in seconds,
 * decisions go out. The same code runs in a peer, in unit tests and in the simulation.
 *
 * A piece is asked of one peer at a time (its owner), rarest first; others join it only when nothing else is left
 * for them, and ask for blocks a second time only when those are late.
 */
export class Scheduler {
  readonly have: PieceSet
  readonly pieceCount: number
  readonly underway: PiecePicker
  readonly #peers = new Map<number, PeerState>()
  readonly #options: SchedulerOptions
  readonly #rate = new IncomingRate()
  /** Smoothed seconds from asking to getting, all peers. */
  #latency = 0
  /** Seconds for which blocks are asked in advance. */
  ahead = AHEAD
  #aim = LEAST_RATE

  constructor(options: SchedulerOptions) {
    this.#options = options
    const { length, pieceLength, random, partialBytes = 48 * 1024 * 1024 } = options
    this.pieceCount = Math.ceil(length / pieceLength)
    this.have = new PieceSet(this.pieceCount)
    const most = Math.max(2, Math.floor(partialBytes / pieceLength))
    this.underway = new PiecePicker(this.pieceCount, most, random)
  }

  get done(): boolean {
    return this.have.full
  }

  readonly pieceLength = (piece: number): number =>
    Math.min(this.#options.pieceLength, this.#options.length - piece * this.#options.pieceLength)

  /** Content that is here from the start (a seeder, an earlier run, a prefilled package). */
  alreadyHave(piece: number): void {
    this.have.add(piece)
    this.underway.open.delete(piece)
  }

  /** How many participants there are. */
  swarmIs(size: number): void {
    this.ahead = Math.max(LEAST_AHEAD, AHEAD * Math.min(1, FEW / size) ** 3)
  }

  // ---- peers

  join(id: number, largestBlock: number, now: number): void {
    this.#peers.set(id, new PeerState(id, this.pieceCount, largestBlock, now))
  }

  leave(id: number): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    for (const piece of peer.has) this.underway.copyWent(piece)
    this.#peers.delete(id)
    this.#releaseAll(peer)
  }

  /** What the peer has told about itself since it joined. */
  describe(id: number, about: { largestBlock: number; source: boolean }): void {
    const peer = this.#peers.get(id)
    if (peer) Object.assign(peer, about)
  }

  /** The peer has the piece, since `now` if it says so of this one alone. Returns whether that is of use to us. */
  peerHas(id: number, piece: number, now?: number): boolean {
    const peer = this.#peers.get(id)
    if (!peer || piece < 0 || piece >= this.pieceCount || peer.has.has(piece)) return false
    peer.has.add(piece)
    if (now !== undefined) peer.progress.arrived(this.pieceLength(piece), now)
    this.underway.copyCame(piece, now !== undefined)
    return !this.have.has(piece)
  }

  peerIsFull(id: number): boolean {
    return this.#peers.get(id)?.has.full ?? false
  }

  peerHasPiece(id: number, piece: number): boolean {
    return this.#peers.get(id)?.has.has(piece) ?? false
  }

  choked(id: number, keepsRequests: boolean): void {
    const peer = this.#peers.get(id)
    if (!peer) return
    peer.choking = true
    if (!keepsRequests) this.#releaseAll(peer)
  }

  unchoked(id: number): void {
    const peer = this.#peers.get(id)
    if (peer) peer.choking = false
  }

  // ---- asking

  /**
   * What to ask, and of whom, at most `budget` bytes. Call after every event that may make room or bring something new,
   * with the peer that the event was about as `only`; and of all peers after `tick`.
   */
  ask(now: number, only?: number, budget = Number.POSITIVE_INFINITY): Flight[] {
    const asked: Flight[] = []
    let left = budget
    for (const peer of this.#inTurn(only)) {
      if (left <= 0) break
      left -= this.#askPeer(peer, now, left, asked)
    }
    return asked
  }

  /**
   * Seeders that show few pieces come first, then whoever owes least, and last a seeder that shows everything: the uplink of
   * the deploy host is the scarcest of all.
   */
  #inTurn(only: number | undefined): PeerState[] {
    const peer = only === undefined ? undefined : this.#peers.get(only)
    if (peer) return [peer]
    return [...this.#peers.values()].sort((a, b) => rank(a) - rank(b) || a.asked - b.asked)
  }

  #askPeer(peer: PeerState, now: number, budget: number, asked: Flight[]): number {
    let bytes = 0
    if (peer.choking || now < peer.pausedUntil || this.done) return 0
    const least = peer.showsFew ? SHOWN * this.#options.pieceLength : 0
    peer.window.resize(this.#aim / this.#peers.size, this.ahead, least)
    while (bytes < budget && peer.hasRoom) {
      const block = this.#nextBlock(peer, now)
      if (!block) break
      const flight = peer.ask(block, now)
      this.underway.partials.get(block.piece)?.flights.push(flight)
      asked.push(flight)
      bytes += block.length
    }
    return bytes
  }

  #nextBlock(peer: PeerState, now: number): Block | undefined {
    const partial = this.underway.next(peer, this.pieceLength, this.#isBusy)
    if (partial) {
      const block = partial.take(peer.window.blockLength(peer.largestBlock))
      this.underway.changed(partial)
      return block
    }
    if (this.underway.open.size > 0) return undefined
    return lateBlock(peer, this.underway.partials.values(), this.#peers, now, this.#latency)
  }

  readonly #isBusy = (id: number): boolean => this.#peers.get(id)?.busy ?? false

  // ---- answers

  /** A block came. A block that was never asked for (`undefined`) is to be thrown away. */
  arrived(id: number, block: Block, now: number): Arrival | undefined {
    const peer = this.#peers.get(id)
    const flight = peer?.owed(block)
    if (!peer || !flight) return undefined
    this.#forget(flight)
    peer.answered(flight, now)
    const latency = now - flight.askedAt
    this.#latency = this.#latency === 0 ? latency : this.#latency * 0.9 + latency * 0.1
    this.#rate.arrived(block.length, now)

    const partial = this.underway.partials.get(block.piece)
    if (!partial) return { fresh: false, cancel: [], complete: false }
    const fresh = partial.arrived(block) > 0
    this.underway.changed(partial)
    const cancel = partial.overtakenBy(block)
    for (const other of cancel) this.#forget(other)
    const complete = partial.missing === 0
    if (complete) this.underway.complete(block.piece)
    return { fresh, cancel: cancel.map((other) => ({ peer: other.peer, block: other })), complete }
  }

  /** The peer refused to send the block (BEP 6 reject). */
  rejected(id: number, block: Block, now: number): void {
    const peer = this.#peers.get(id)
    const flight = peer?.owed(block)
    if (!peer || !flight) return
    this.#release(flight)
    peer.pausedUntil = Math.max(peer.pausedUntil, now + REFUSED_PAUSE)
  }

  /** The hash of a complete piece was right, or was not: then all of it is fetched again, from one peer alone. */
  checked(piece: number, right: boolean): void {
    this.underway.checked(piece, right)
    if (right) this.have.add(piece)
  }

  /** Time passed: takes blocks back from peers that stopped answering. Returns what to cancel. Call every 0.1 s or so. */
  tick(now: number): { peer: number; block: Block }[] {
    this.#aimHigh()
    const taken: { peer: number; block: Block }[] = []
    const patience = Math.max(SILENT, SILENT_TIMES * this.#latency)
    for (const peer of this.#peers.values()) {
      if (peer.flights.length === 0 || now - peer.heardAt < patience) continue
      for (const block of peer.flights) taken.push({ peer: peer.id, block })
      this.#releaseAll(peer)
      peer.stoppedAnswering(now)
    }
    return taken
  }

  /**
   * What all neighbours together should bring, bytes a second: what they have brought, or what the fastest of them gets. A peer
   * that started late, or was held up, would else ask for less than the others do, get less of every uplink for it, and
   * stay behind.
   */
  #aimHigh(): void {
    this.#aim = Math.max(LEAST_RATE, this.#rate.value)
    for (const { progress, source } of this.#peers.values()) {
      if (!source) this.#aim = Math.max(this.#aim, progress.value)
    }
  }

  #forget(flight: Flight, peer = this.#peers.get(flight.peer)): void {
    peer?.forget(flight)
    this.underway.partials.get(flight.piece)?.drop(flight)
  }

  #release(flight: Flight, peer?: PeerState): void {
    this.#forget(flight, peer)
    const partial = this.underway.partials.get(flight.piece)
    if (!partial) return
    partial.release(flight)
    this.underway.released(partial)
  }

  #releaseAll(peer: PeerState): void {
    for (const flight of [...peer.flights]) this.#release(flight, peer)
  }
}

function rank(peer: PeerState): number {
  if (!peer.source) return 1
  return peer.showsFew ? 0 : 2
}
