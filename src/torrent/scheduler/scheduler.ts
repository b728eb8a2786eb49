import { type Block, type Flight, Partial } from './partial.ts'
import { lowestBit, PieceSet } from './piece-set.ts'
import { LARGEST, RequestWindow, UNIT } from './window.ts'

/** Pieces looked at before the rarest of them is chosen: more than a few change nothing (NOTES.md). */
const SAMPLE = 16
/** A block may be asked of a second peer when it is this old, or this many times older than usual (seconds). */
const LATE = 0.5
const LATE_TIMES = 3
/** It may be asked of a peer that will have sent it this many times sooner. */
const SOONER_TIMES = 2
/** A peer that owes blocks and has sent none for this long (seconds, or times the usual) loses them to others. */
const SILENT = 1
const SILENT_TIMES = 4
const LONGEST_PAUSE = 16
/** With more neighbours than this, what is under way is bounded for all together and not only for each. */
const FEW = 32

export interface SchedulerOptions {
  /** Bytes of the whole content, and of a piece. */
  length: number
  pieceLength: number
  /** Uniform in [0, 1). */
  random: () => number
  /** Memory for pieces under way, bytes. */
  partialBytes?: number
}

interface Peer {
  id: number
  has: PieceSet
  choking: boolean
  largestBlock: number
  /** A seeder that shows each piece to few: what it offers is asked for at once, whatever else is under way. */
  source: boolean
  window: RequestWindow
  flights: Flight[]
  asked: number
  /** When it last sent a block, or was first asked for one after owing none. */
  heardAt: number
  /** Set when it stopped answering: nothing is asked before this time. */
  pausedUntil: number
  pause: number
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
  /** Neither here nor under way. */
  private readonly open: PieceSet
  private readonly partials = new Map<number, Partial>()
  private readonly checking = new Set<number>()
  private readonly peers = new Map<number, Peer>()
  private readonly availability: Uint16Array
  private readonly options: Required<SchedulerOptions>
  private readonly mostPartials: number
  /**
   * For all peers together. Without it every peer of a large fleet would keep a queue at all its neighbours, each piece
   * would take as long as the longest queue to come, and only then could it be passed on.
   */
  private readonly total = new RequestWindow(64 * UNIT, 64 * UNIT, 4 * LARGEST)
  private asked = 0

  constructor(options: SchedulerOptions) {
    this.options = { partialBytes: 48 * 1024 * 1024, ...options }
    this.pieceCount = Math.ceil(options.length / options.pieceLength)
    this.have = new PieceSet(this.pieceCount)
    this.open = new PieceSet(this.pieceCount).fill()
    this.availability = new Uint16Array(this.pieceCount)
    this.mostPartials = Math.max(4, Math.floor(this.options.partialBytes / options.pieceLength))
  }

  get done(): boolean {
    return this.have.full
  }

  pieceLength(piece: number): number {
    return Math.min(this.options.pieceLength, this.options.length - piece * this.options.pieceLength)
  }

  /** Content that is here from the start (a seeder, an earlier run, a prefilled package). */
  alreadyHave(piece: number): void {
    this.have.add(piece)
    this.open.delete(piece)
  }

  join(peer: number, largestBlock: number, now: number): void {
    this.peers.set(peer, {
      id: peer,
      has: new PieceSet(this.pieceCount),
      choking: true,
      largestBlock,
      source: false,
      window: new RequestWindow(),
      flights: [],
      asked: 0,
      heardAt: now,
      pausedUntil: 0,
      pause: SILENT,
    })
  }

  leave(id: number): void {
    const peer = this.peers.get(id)
    if (!peer) return
    for (const piece of peer.has) this.availability[piece] = (this.availability[piece] ?? 1) - 1
    this.peers.delete(id)
    this.releaseAll(peer)
  }

  /** What the peer has told about itself since it joined. */
  describe(id: number, about: { largestBlock: number; source: boolean }): void {
    const peer = this.peers.get(id)
    if (peer) Object.assign(peer, about)
  }

  /** The peer has the piece. Returns whether that is of use to us. */
  peerHas(id: number, piece: number): boolean {
    const peer = this.peers.get(id)
    if (!peer || piece < 0 || piece >= this.pieceCount || peer.has.has(piece)) return false
    peer.has.add(piece)
    this.availability[piece] = (this.availability[piece] ?? 0) + 1
    return !this.have.has(piece)
  }

  peerHasAll(id: number): void {
    for (let piece = 0; piece < this.pieceCount; piece++) this.peerHas(id, piece)
  }

  /** Whether the peer has anything that is missing here. */
  interesting(id: number): boolean {
    const has = this.peers.get(id)?.has.words
    return has?.some((word, at) => (word & ~(this.have.words[at] ?? 0)) !== 0) ?? false
  }

  peerIsFull(id: number): boolean {
    return this.peers.get(id)?.has.full ?? false
  }

  peerHasPiece(id: number, piece: number): boolean {
    return this.peers.get(id)?.has.has(piece) ?? false
  }

  choked(id: number, keepsRequests: boolean): void {
    const peer = this.peers.get(id)
    if (!peer) return
    peer.choking = true
    if (!keepsRequests) this.releaseAll(peer)
  }

  unchoked(id: number): void {
    const peer = this.peers.get(id)
    if (peer) peer.choking = false
  }

  /**
   * What to ask, and of whom, at most `budget` bytes. Call after every event that may make room or bring something new;
   * `first` is the peer that the event was about.
   */
  ask(now: number, first?: number, budget = Number.POSITIVE_INFINITY): Flight[] {
    const asked: Flight[] = []
    let left = budget
    for (const peer of this.inTurn(first)) {
      if (left <= 0) break
      if (!isSource(peer) && this.asked >= this.limit) continue
      left -= this.askPeer(peer, now, left, asked)
    }
    return asked
  }

  private askPeer(peer: Peer, now: number, budget: number, asked: Flight[]): number {
    let bytes = 0
    if (peer.choking || now < peer.pausedUntil || this.done) return 0
    while (bytes < budget && (isSource(peer) || this.asked < this.limit)) {
      if (peer.asked >= peer.window.size && peer.flights.length > 0) break
      const block = this.nextBlock(peer, peer.window.blockLength(peer.largestBlock), now)
      if (!block) break
      if (peer.flights.length === 0) peer.heardAt = now
      const flight: Flight = { ...block, peer: peer.id, askedAt: now, counted: !isSource(peer) }
      peer.flights.push(flight)
      peer.asked += block.length
      if (flight.counted) this.asked += block.length
      this.partials.get(block.piece)?.flights.push(flight)
      asked.push(flight)
      bytes += block.length
    }
    return bytes
  }

  /** Bytes that may be under way from all peers together, sources aside. */
  private get limit(): number {
    return this.peers.size > FEW ? this.total.size : Number.POSITIVE_INFINITY
  }

  /**
   * Peers in the order in which they are asked: sources, then whoever owes least, and last the seeder that shows
   * everything: the uplink of the deploy host is the scarcest of all.
   */
  private inTurn(first: number | undefined): Peer[] {
    const peer = first === undefined ? undefined : this.peers.get(first)
    if (this.asked >= this.limit) return peer && isSource(peer) ? [peer] : []
    // What happened to one peer makes room for that one only, unless all share a limit.
    if (peer && this.limit === Number.POSITIVE_INFINITY) return [peer]
    return [...this.peers.values()].sort((a, b) => rank(a) - rank(b) || a.asked - b.asked)
  }

  /** A block came. A block that was never asked for (`undefined`) is to be thrown away. */
  arrived(id: number, block: Block, now: number): Arrival | undefined {
    const peer = this.peers.get(id)
    const flight = peer?.flights.find((f) => isSame(f, block))
    if (!peer || !flight) return undefined
    this.forget(peer, flight)
    peer.heardAt = now
    peer.pause = SILENT
    const latency = now - flight.askedAt
    peer.window.answered(block.length, latency, now)
    this.total.answered(block.length, latency, now)

    const partial = this.partials.get(block.piece)
    if (!partial) return { fresh: false, cancel: [], complete: false }
    const fresh = partial.arrived(block) > 0
    const cancel: Arrival['cancel'] = []
    for (const other of [...partial.flights]) {
      if (!partial.covers(other)) continue
      const owner = this.peers.get(other.peer)
      if (owner) this.forget(owner, other)
      cancel.push({ peer: other.peer, block: other })
    }
    const complete = partial.missing === 0
    if (complete) {
      this.partials.delete(block.piece)
      this.checking.add(block.piece)
    }
    return { fresh, cancel, complete }
  }

  /** The peer refused to send the block (BEP 6 reject). */
  rejected(id: number, block: Block, now: number): void {
    const peer = this.peers.get(id)
    const flight = peer?.flights.find((f) => isSame(f, block))
    if (!peer || !flight) return
    this.forget(peer, flight, true)
    peer.pausedUntil = Math.max(peer.pausedUntil, now + 0.05)
  }

  /** The hash of a complete piece was right, or was not: then all of it is fetched again. */
  checked(piece: number, right: boolean): void {
    this.checking.delete(piece)
    if (right) this.have.add(piece)
    else this.open.add(piece)
  }

  /** Time passed: takes blocks back from peers that stopped answering. Returns what to cancel. Call every 0.1 s or so. */
  tick(now: number): { peer: number; block: Block }[] {
    const taken: { peer: number; block: Block }[] = []
    const patience = Math.max(SILENT, SILENT_TIMES * this.total.latency)
    for (const peer of this.peers.values()) {
      if (peer.flights.length === 0 || now - peer.heardAt < patience) continue
      for (const block of peer.flights) taken.push({ peer: peer.id, block })
      this.releaseAll(peer)
      peer.window.collapse()
      peer.pausedUntil = now + peer.pause
      peer.pause = Math.min(LONGEST_PAUSE, peer.pause * 2)
    }
    return taken
  }

  private nextBlock(peer: Peer, length: number, now: number): Block | undefined {
    return (
      this.fromPartial(peer, length, (partial) => partial.owner === peer.id) ??
      this.fromPartial(peer, length, (partial) => !this.isBusy(partial.owner)) ??
      this.fromNewPiece(peer, length) ??
      this.fromPartial(peer, length, () => true) ??
      this.lateBlock(peer, now)
    )
  }

  private isBusy(owner: number): boolean {
    const peer = this.peers.get(owner)
    return peer !== undefined && !peer.choking && peer.flights.length > 0
  }

  private fromPartial(peer: Peer, length: number, accept: (p: Partial) => boolean): Block | undefined {
    for (const partial of this.partials.values()) {
      if (partial.free === 0 || !peer.has.has(partial.piece) || !accept(partial)) continue
      if (!this.isBusy(partial.owner)) partial.owner = peer.id
      return partial.take(length)
    }
    return undefined
  }

  private fromNewPiece(peer: Peer, length: number): Block | undefined {
    if (this.partials.size + this.checking.size >= this.mostPartials) return undefined
    const piece = this.rarest(peer)
    if (piece === undefined) return undefined
    const partial = new Partial(piece, this.pieceLength(piece), peer.id)
    this.open.delete(piece)
    this.partials.set(piece, partial)
    return partial.take(length)
  }

  /** The rarest of the first `SAMPLE` pieces from a random place on that the peer has and that are open here. */
  private rarest(peer: Peer): number | undefined {
    const words = this.open.words
    const start = Math.floor(this.options.random() * words.length)
    let best: number | undefined
    let fewest = Number.POSITIVE_INFINITY
    let seen = 0
    for (let step = 0; step < words.length && seen < SAMPLE; step++) {
      const at = (start + step) % words.length
      for (let bits = (words[at] ?? 0) & (peer.has.words[at] ?? 0); bits !== 0; bits &= bits - 1) {
        const piece = at * 32 + lowestBit(bits)
        const copies = this.availability[piece] ?? 0
        if (copies < fewest) {
          fewest = copies
          best = piece
        }
        seen++
      }
    }
    return best
  }

  /** End game: the block that somebody else will owe for the longest, if this peer sends it much sooner. */
  private lateBlock(peer: Peer, now: number): Block | undefined {
    if (this.open.size > 0) return undefined
    const own = peer.window.latency
    let latest: Flight | undefined
    let longest = own * SOONER_TIMES
    for (const partial of this.partials.values()) {
      if (!peer.has.has(partial.piece)) continue
      for (const flight of partial.flights) {
        if (flight.peer === peer.id) continue
        const wait = this.expectedWait(flight, now)
        if (wait <= longest) continue
        if (partial.flights.some((other) => other !== flight && overlaps(other, flight))) continue
        latest = flight
        longest = wait
      }
    }
    return (
      latest && {
        piece: latest.piece,
        offset: latest.offset,
        length: Math.min(latest.length, peer.largestBlock),
      }
    )
  }

  /** Seconds until the block should be here. One that is overdue may take as long again as it already took. */
  private expectedWait(flight: Flight, now: number): number {
    const age = now - flight.askedAt
    if (age > Math.max(LATE, LATE_TIMES * this.total.latency)) return Number.POSITIVE_INFINITY
    const usual = this.peers.get(flight.peer)?.window.latency ?? 0
    return usual > age ? usual - age : 0
  }

  private forget(peer: Peer, flight: Flight, release = false): void {
    const at = peer.flights.indexOf(flight)
    if (at < 0) return
    peer.flights.splice(at, 1)
    peer.asked -= flight.length
    if (flight.counted) this.asked -= flight.length
    const partial = this.partials.get(flight.piece)
    if (release) partial?.release(flight)
    else partial?.drop(flight)
  }

  private releaseAll(peer: Peer): void {
    for (const flight of [...peer.flights]) this.forget(peer, flight, true)
  }
}

/** Once a seeder shows everything, it is a peer like any other. */
function isSource(peer: Peer): boolean {
  return peer.source && !peer.has.full
}

function rank(peer: Peer): number {
  if (!peer.source) return 1
  return isSource(peer) ? 0 : 2
}

function isSame(a: Block, b: Block): boolean {
  return a.piece === b.piece && a.offset === b.offset && a.length === b.length
}

function overlaps(a: Block, b: Block): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length
}
