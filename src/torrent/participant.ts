import { randomBytes } from 'node:crypto'
import { connect, type Server, type Socket } from 'node:net'
import { formatAddress, parseAddress } from './announce.ts'
import { BlockCache } from './block-cache.ts'
import { Connection, type Host } from './connection.ts'
import { listen } from './listen.ts'
import type { Metainfo } from './metainfo.ts'
import { PeerBook } from './peer-book.ts'
import { PieceBuffer } from './piece-buffer.ts'
import { pieceIsRight } from './pieces.ts'
import { RateLimit } from './rate-limit.ts'
import { RateMeter } from './rate-meter.ts'
import { FirstCopies } from './scheduler/first-copies.ts'
import type { Block } from './scheduler/partial.ts'
import { PieceSet } from './scheduler/piece-set.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import { keyOf, withSecret } from './secret.ts'
import { Storage, type StorageOptions } from './storage.ts'
import { TrackerSession } from './tracker-session.ts'
import { checkPieces, spotCheck } from './verify.ts'
import { sharedRead } from './wire/shared-read.ts'

/** A full mesh up to this many peers; above, a random graph of this degree (NOTES.md). */
const MESH = 32
const MOST_CONNECTIONS = 64
const TICK = 0.1
/** Verified bytes that may wait for the disk before nothing more is asked for. */
const MOST_UNWRITTEN = 64 * 1024 * 1024
const PEERS_WANTED = 50

export interface ParticipantOptions {
  metainfo: Metainfo
  /** The file, or the directory of a torrent with several files. */
  path: string
  role: 'seeder' | 'peer'
  /** Announce URLs; may be empty when `peers` is not. */
  trackers: string[]
  /** What all of the swarm know, and must prove to each other; without one anybody may join. */
  secret?: string
  /** `host:port` known from the start. */
  peers: string[]
  /** Address to announce instead of the one the tracker sees. */
  address?: string
  /** First and last TCP port to try; [0, 0] lets the system choose. */
  ports: [number, number]
  /** Bytes a second of the whole process; 0 or nothing is no limit. */
  uploadLimit?: number
  downloadLimit?: number
  storage?: StorageOptions
  /** Peers expected, if known: with one, a seeder has nothing to spread. */
  fleet?: number
}

/** Content bytes; rates in bytes a second. */
export interface Stats {
  bytes: number
  total: number
  down: number
  up: number
  /** Content bytes that came over the network, all of them, also those that came twice. */
  received: number
  sent: number
  peers: number
  everConnected: boolean
  trackerError?: string
}

/** One process's part in a swarm: a seeder or a peer. Owns sockets, timers and files; the scheduler decides. */
export class Participant implements Host {
  readonly infoHash: string
  readonly peerId = Buffer.concat([Buffer.from('-MU0100-'), randomBytes(12)]).toString('hex')
  readonly pieceCount: number
  readonly uploadOnly: boolean
  readonly key: Buffer | undefined
  /** Resolves when all content is here, verified and written; rejects with a MurderError when it never will be. */
  readonly complete: Promise<void>
  listenPort = 0
  private readonly options: ParticipantOptions
  private readonly metainfo: Metainfo
  private readonly storage: Storage
  private readonly cache: BlockCache
  private readonly scheduler: Scheduler
  private readonly firstCopies: FirstCopies | undefined
  private showsAll: boolean
  private readonly book = new PeerBook()
  private readonly connections = new Map<number, Connection>()
  private readonly pieces = new Map<number, PieceBuffer>()
  private readonly trackers: TrackerSession[]
  private readonly uploads: RateLimit
  private readonly downloads: RateLimit
  private readonly meter = new RateMeter()
  private readonly newPieces: number[] = []
  private readonly banned = new Set<string>()
  private server: Server | undefined
  private timer: NodeJS.Timeout | undefined
  private nextId = 1
  private unwritten = 0
  private dialing = 0
  private everConnected = false
  private finished = false
  private stopped = false
  private resolveComplete!: () => void
  private rejectComplete!: (error: unknown) => void

  static async start(options: ParticipantOptions): Promise<Participant> {
    const participant = new Participant(options)
    try {
      await participant.open()
      return participant
    } catch (error) {
      await participant.stop()
      throw error
    }
  }

  private constructor(options: ParticipantOptions) {
    const { metainfo } = options
    this.options = options
    this.metainfo = metainfo
    this.infoHash = metainfo.infoHash
    this.uploadOnly = options.role === 'seeder'
    this.key = options.secret === undefined ? undefined : keyOf(options.secret, 'peers')
    this.storage = new Storage(metainfo, options.path, options.role === 'peer', options.storage)
    this.cache = new BlockCache((at, length) => this.readContent(at, length), metainfo.length)
    this.scheduler = new Scheduler({ ...metainfo, random: Math.random })
    this.pieceCount = this.scheduler.pieceCount
    const spreads = options.role === 'seeder' && options.fleet !== 1
    this.firstCopies = spreads
      ? new FirstCopies(this.pieceCount, (piece) => this.scheduler.pieceLength(piece))
      : undefined
    this.showsAll = !spreads
    this.uploads = new RateLimit(options.uploadLimit ?? 0, this.now())
    this.downloads = new RateLimit(options.downloadLimit ?? 0, this.now())
    this.complete = new Promise((resolve, reject) => {
      this.resolveComplete = resolve
      this.rejectComplete = reject
    })
    // Whoever waits sees the rejection; nobody waiting is no reason to end the process.
    this.complete.catch(() => {})
    this.trackers = options.trackers.map(
      (url) =>
        new TrackerSession(
          withSecret(url, options.secret),
          () => this.describe(),
          (addresses) => this.learn(addresses),
          () =>
            !this.scheduler.done && this.connections.size < Math.min(MESH, this.book.addresses.length + 1),
        ),
    )
  }

  get port(): number {
    return this.listenPort
  }

  stats(): Stats {
    const { down, up, received, sent } = this.meter.read(this.now())
    const trackerError = this.trackers.find((tracker) => tracker.error !== undefined)?.error
    return {
      bytes: this.bytesHere(),
      total: this.metainfo.length,
      down,
      up,
      received,
      sent,
      peers: this.connections.size,
      everConnected: this.everConnected,
      ...(trackerError === undefined ? {} : { trackerError }),
    }
  }

  async stop(): Promise<void> {
    if (this.stopped) return
    this.stopped = true
    clearInterval(this.timer)
    for (const connection of [...this.connections.values()]) connection.close()
    this.server?.close()
    const goodbye = Promise.all(this.trackers.map((tracker) => tracker.stop()))
    await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, 1000).unref())])
    await this.storage.close()
  }

  private async open(): Promise<void> {
    if (this.options.role === 'seeder') await this.openWhole()
    else await this.openPartial()
    this.server = await listen(this.options.ports, (socket) => this.incoming(socket))
    this.listenPort = (this.server.address() as { port: number }).port
    for (const address of this.options.peers) this.book.add(address, true)
    this.timer = setInterval(() => this.tick(), TICK * 1000)
    for (const tracker of this.trackers) void tracker.start()
    this.dialMore()
    this.finishIfDone()
  }

  private async openWhole(): Promise<void> {
    await this.storage.checkLengths()
    await spotCheck(this.metainfo, (at, length) => this.storage.read(at, length), this.options.path)
    for (let piece = 0; piece < this.pieceCount; piece++) this.scheduler.alreadyHave(piece)
  }

  private async openPartial(): Promise<void> {
    const survey = await this.storage.prepare()
    const read = (at: number, length: number) => this.storage.read(at, length)
    const mayHold = (at: number, length: number) => this.storage.mayHold(survey, at, length)
    for await (const { piece, right } of checkPieces(this.metainfo, read, { mayHold })) {
      if (right) this.scheduler.alreadyHave(piece)
    }
  }

  // ---- neighbours

  accept(connection: Connection): boolean {
    if (connection.peerId === this.peerId) {
      this.book.forbid(connection.address ?? formatAddress(connection.localHost, this.listenPort))
      return false
    }
    const twin = [...this.connections.values()].find((other) => other.peerId === connection.peerId)
    if (twin && !this.prefers(connection, twin)) return false
    if (!twin && this.connections.size >= MOST_CONNECTIONS) return false
    if (this.banned.has(connection.remoteHost)) return false
    this.everConnected = true
    this.connections.set(connection.id, connection)
    twin?.close()
    this.scheduler.join(connection.id, connection.largestBlock, this.now())
    this.firstCopies?.join(connection.id, this.now())
    this.describePeer(connection)
    this.listenTo(connection)
    this.introduce(connection)
    return true
  }

  left(connection: Connection): void {
    if (this.connections.get(connection.id) === connection) {
      this.connections.delete(connection.id)
      this.scheduler.leave(connection.id)
      this.firstCopies?.leave(connection.id)
    }
    if (connection.outgoing && connection.address) this.book.ended(connection.address, this.now())
  }

  /** Of two connections to one peer, both ends keep the one that the peer with the smaller id opened. */
  private prefers(one: Connection, other: Connection): boolean {
    return one.outgoing !== other.outgoing && one.outgoing === this.peerId < one.peerId
  }

  private introduce({ wire }: Connection): void {
    const visible = this.showsAll ? this.scheduler.have : new PieceSet(this.pieceCount)
    if (wire.hasFast && visible.full) wire.haveAll()
    else if (visible.size > 0) wire.bitfield(visible.toBitfield())
    else if (wire.hasFast) wire.haveNone()
    wire.unchoke()
  }

  private listenTo(connection: Connection): void {
    const { id, wire } = connection
    wire.on('bitfield', (bits: { buffer: Uint8Array }) => {
      this.theyHave(connection, PieceSet.fromBitfield(bits.buffer, this.pieceCount))
    })
    wire.on('have-all', () => this.theyHave(connection, new PieceSet(this.pieceCount).fill()))
    wire.on('have', (piece: number) => this.theyHave(connection, [piece]))
    wire.on('unchoke', () => {
      this.scheduler.unchoked(id)
      this.ask(connection)
    })
    wire.on('choke', () => this.scheduler.choked(id, wire.hasFast))
    wire.on('extended', () => this.describePeer(connection))
    wire.on('download', (bytes: number) => this.meter.received(bytes))
  }

  private describePeer({ id, largestBlock, uploadOnly }: Connection): void {
    this.scheduler.describe(id, { largestBlock, source: uploadOnly })
  }

  private theyHave(connection: Connection, pieces: Iterable<number>): void {
    let useful = false
    for (const piece of pieces) {
      useful = this.scheduler.peerHas(connection.id, piece) || useful
      this.firstCopies?.peerHas(connection.id, piece, this.now())
    }
    if (useful) {
      connection.wire.interested()
      this.ask(connection)
    }
    if (this.firstCopies) this.reveal()
  }

  private incoming(socket: Socket): void {
    if (this.stopped || this.connections.size >= MOST_CONNECTIONS) socket.destroy()
    else new Connection(this.nextId++, socket, this)
  }

  private learn(addresses: string[]): void {
    for (const address of addresses) this.book.add(address)
    this.dialMore()
  }

  private dialMore(): void {
    // A full copy has nothing to look for: whoever misses something comes to it.
    if (this.stopped || (this.options.role === 'seeder' && this.options.peers.length === 0)) return
    const room = MESH - this.connections.size - this.dialing
    if (room <= 0) return
    const connected = new Set([...this.connections.values()].flatMap(({ address }) => address ?? []))
    for (const address of this.book.due(this.now(), room, connected, Math.random)) this.dial(address)
  }

  private dial(address: string): void {
    const target = parseAddress(address)
    if (!target || this.banned.has(target.host)) return this.book.forbid(address)
    this.book.dialing(address)
    this.dialing++
    let connection: Connection | undefined
    const onread = sharedRead((bytes) => connection?.wire.take(bytes))
    const socket = connect({ ...target, timeout: 5000, onread })
    const failed = () => {
      this.dialing--
      this.book.ended(address, this.now())
    }
    socket.once('timeout', () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', failed)
    socket.once('connect', () => {
      socket.off('close', failed)
      socket.setTimeout(0)
      this.dialing--
      this.book.connected(address)
      connection = new Connection(this.nextId++, socket, this, address)
    })
  }

  // ---- fetching

  private ask(first?: Connection): void {
    if (this.scheduler.done || this.unwritten > MOST_UNWRITTEN) return
    for (const flight of this.scheduler.ask(this.now(), first?.id, this.downloads.available(this.now()))) {
      const connection = this.connections.get(flight.peer)
      this.downloads.take(flight.length)
      connection?.wire.request(flight.piece, flight.offset, flight.length, (error, bytes) => {
        if (error || !bytes) this.scheduler.rejected(connection.id, flight, this.now())
        else this.arrived(connection, flight, bytes)
      })
    }
  }

  private arrived(connection: Connection, block: Block, bytes: Uint8Array): void {
    const arrival = this.scheduler.arrived(connection.id, block, this.now())
    if (arrival?.fresh) {
      const buffer = this.pieces.get(block.piece) ?? new PieceBuffer(this.scheduler.pieceLength(block.piece))
      this.pieces.set(block.piece, buffer)
      buffer.write(block.offset, bytes, connection.id)
      this.takeBack(arrival.cancel)
      if (arrival.complete) this.check(block.piece, buffer)
    }
    this.ask(connection)
  }

  private takeBack(requests: { peer: number; block: Block }[]): void {
    for (const { peer, block } of requests) {
      this.connections.get(peer)?.wire.cancel(block.piece, block.offset, block.length)
    }
  }

  private check(piece: number, buffer: PieceBuffer): void {
    this.pieces.delete(piece)
    const right = pieceIsRight(this.metainfo.pieces, piece, buffer.digest())
    this.scheduler.checked(piece, right)
    if (!right) return this.blame(buffer.senders)
    const position = piece * this.metainfo.pieceLength
    this.cache.keep(position, buffer.bytes)
    this.tellAll(piece)
    if (this.storage.writeNow(position, buffer.bytes)) return this.finishIfDone()
    this.unwritten += buffer.bytes.length
    this.storage.write(position, buffer.bytes).then(
      () => {
        this.unwritten -= buffer.bytes.length
        this.finishIfDone()
      },
      (error) => this.fail(error),
    )
  }

  /** One sender of a wrong piece is guilty; of several nobody is, until the piece is fetched from one alone. */
  private blame(senders: ReadonlySet<number>): void {
    if (senders.size !== 1) return
    for (const id of senders) {
      const connection = this.connections.get(id)
      if (!connection) continue
      this.banned.add(connection.remoteHost)
      connection.close()
    }
  }

  private finishIfDone(): void {
    if (this.finished || !this.scheduler.done || this.unwritten > 0) return
    this.finished = true
    for (const { wire } of this.connections.values()) wire.uninterested()
    if (this.options.role === 'peer') for (const tracker of this.trackers) void tracker.completed()
    this.resolveComplete()
  }

  private fail(error: unknown): void {
    this.rejectComplete(error)
    void this.stop()
  }

  // ---- sharing

  content(piece: number, offset: number, length: number): Buffer | Promise<Buffer> | undefined {
    if (!this.scheduler.have.has(piece) || offset + length > this.scheduler.pieceLength(piece))
      return undefined
    return this.cache.get(piece * this.metainfo.pieceLength, offset, length)
  }

  sendBudget(): number {
    return this.uploads.available(this.now())
  }

  sent(connection: Connection, piece: number, bytes: number): void {
    this.uploads.take(bytes)
    this.meter.sent(bytes)
    if (!this.firstCopies) return
    this.firstCopies.sent(connection.id, piece, bytes, this.now())
    this.reveal()
  }

  /** Pieces are told in batches: a message each would cost a packet each to every neighbour. */
  private tellAll(piece: number): void {
    this.newPieces.push(piece)
    if (this.newPieces.length === 1) setTimeout(() => this.tellNow(), 5)
  }

  private tellNow(): void {
    for (const { id, wire, uploadOnly } of this.connections.values()) {
      if (this.scheduler.peerIsFull(id)) continue
      for (const piece of this.newPieces) {
        if (uploadOnly || !this.scheduler.peerHasPiece(id, piece)) wire.have(piece)
      }
    }
    this.newPieces.length = 0
  }

  private reveal(): void {
    if (this.showsAll || !this.firstCopies) return
    for (const { peer, piece } of this.firstCopies.reveal(this.now()))
      this.connections.get(peer)?.wire.have(piece)
    if (!this.firstCopies.finished || this.connections.size === 0) return
    this.showsAll = true
    for (const connection of this.connections.values()) {
      for (const piece of this.scheduler.have) {
        if (!this.scheduler.peerHasPiece(connection.id, piece)) connection.wire.have(piece)
      }
    }
  }

  // ---- time and bookkeeping

  private tick(): void {
    const now = this.now()
    this.takeBack(this.scheduler.tick(now))
    this.ask()
    for (const connection of this.connections.values()) void connection.pump()
    this.reveal()
    this.dialMore()
  }

  private async readContent(position: number, length: number): Promise<Buffer> {
    try {
      return await this.storage.read(position, length)
    } catch (error) {
      this.fail(error)
      throw error
    }
  }

  private describe() {
    const { received, sent } = this.meter.read(this.now())
    return {
      infoHash: this.infoHash,
      peerId: this.peerId,
      port: this.listenPort,
      uploaded: sent,
      downloaded: received,
      left: this.metainfo.length - this.bytesHere(),
      want: PEERS_WANTED,
      ...(this.options.address === undefined ? {} : { address: this.options.address }),
    }
  }

  private bytesHere(): number {
    const { have } = this.scheduler
    const last = this.pieceCount - 1
    const short = have.has(last) ? this.metainfo.pieceLength - this.scheduler.pieceLength(last) : 0
    return have.size * this.metainfo.pieceLength - short
  }

  private now(): number {
    return performance.now() / 1000
  }
}
