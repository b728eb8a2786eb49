import { randomBytes } from 'node:crypto'
import type { Server } from 'node:net'
import { keyOf, withSecret } from './access/secret.ts'
import { Downloader } from './downloader.ts'
import { type Metainfo, mayExchange } from './metainfo/metainfo.ts'
import type { ParticipantOptions, Stats } from './participant-options.ts'
import type { Connection, Host } from './peers/connection.ts'
import { listen } from './peers/listen.ts'
import { Neighbours } from './peers/neighbours.ts'
import { guessAddresses, PeerExchange } from './peers/pex.ts'
import { RateLimit, smoothBlock } from './peers/rate-limit.ts'
import { RateMeter } from './peers/rate-meter.ts'
import { PieceSet } from './scheduler/piece-set.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import { Storage } from './storage/storage.ts'
import { checkPieces, spotCheck } from './storage/verify.ts'
import { Announcer } from './tracker/announcer.ts'
import { Uploader } from './uploader.ts'
import { askAhead } from './wire/coalescing.ts'
import { LARGEST_BLOCK } from './wire/peer-wire.ts'

const TICK_MS = 100
const PEERS_WANTED = 50
const GOODBYE_MS = 1000

/**
 * One process's part in a swarm: a seeder or a peer. Owns what the parts share, and passes on what neighbours say:
 * `Neighbours` holds connections, `Downloader` gets what is missing, `Uploader` gives what is here, the scheduler decides.
 */
export class Participant implements Host {
  readonly infoHash: string
  readonly peerId = Buffer.concat([Buffer.from('-MU0100-'), randomBytes(12)]).toString('hex')
  readonly pieceCount: number
  readonly source: boolean
  readonly exchanges: boolean
  readonly key: Buffer | undefined
  readonly limitOfEach: number
  readonly smoothUpload: number
  readonly smoothDownload: number
  /** Resolves when all content is here, verified and written; rejects with a MurderError when it never will be. */
  readonly complete: Promise<void>
  listenPort = 0
  readonly #options: ParticipantOptions
  readonly #metainfo: Metainfo
  readonly #storage: Storage
  readonly #scheduler: Scheduler
  readonly #neighbours: Neighbours
  readonly #fetching: Downloader
  readonly #sharing: Uploader
  readonly #trackers: Announcer[]
  readonly #exchange: PeerExchange
  #guessed = false
  #foundContent = false
  readonly #meter = new RateMeter()
  #server: Server | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #resolveComplete!: () => void
  #rejectComplete!: (error: unknown) => void

  static async start(options: ParticipantOptions): Promise<Participant> {
    const participant = new Participant(options)
    try {
      await participant.#open()
      return participant
    } catch (error) {
      await participant.stop()
      throw error
    }
  }

  private constructor(options: ParticipantOptions) {
    const { metainfo } = options
    this.#options = options
    this.#metainfo = metainfo
    this.infoHash = metainfo.infoHash
    this.source = options.role === 'seeder'
    this.exchanges = options.secret !== undefined || mayExchange(metainfo)
    this.key = options.secret === undefined ? undefined : keyOf(options.secret, 'peers')
    const { limitOfEach = 0, uploadLimit = 0, downloadLimit = 0 } = options
    this.limitOfEach = limitOfEach
    this.smoothUpload = smoothBlock(limitOfEach, smoothBlock(uploadLimit, LARGEST_BLOCK))
    this.smoothDownload = smoothBlock(downloadLimit, LARGEST_BLOCK)
    this.#storage = new Storage(metainfo, options.path, options.role === 'peer', options.storage)
    const inOrder = options.role === 'peer' && options.fleet === 1
    this.#scheduler = new Scheduler({ ...metainfo, random: inOrder ? () => 0 : Math.random })
    this.pieceCount = this.#scheduler.pieceCount
    this.#neighbours = new Neighbours(this, now)
    this.#swarmIs((options.fleet ?? -1) + 1)
    this.#fetching = this.#makeFetching(options)
    this.#sharing = this.#makeSharing(options)
    this.complete = new Promise((resolve, reject) => {
      this.#resolveComplete = resolve
      this.#rejectComplete = reject
    })
    // Whoever waits sees the rejection; nobody waiting is no reason to end the process.
    this.complete.catch(() => {})
    this.#exchange = new PeerExchange((addresses) => this.#learn(addresses), now, options.hosts)
    this.#trackers = options.trackers.map(
      (url) =>
        new Announcer(
          withSecret(url, options.secret),
          () => this.#describe(),
          ({ peers, swarm }) => {
            this.#swarmIs(swarm)
            this.#learn(peers)
          },
          () => this.#isHungry(),
        ),
    )
  }

  get port(): number {
    return this.listenPort
  }

  stats(): Stats {
    const trackerError = this.#trackers.find((tracker) => tracker.error !== undefined)?.error
    return {
      bytes: this.#bytesHere(),
      total: this.#metainfo.length,
      ...this.#meter.read(now()),
      peers: this.#neighbours.size,
      foundContent: this.#foundContent,
      banned: this.#neighbours.liars,
      ...(trackerError === undefined ? {} : { trackerError }),
    }
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#timer)
    this.#neighbours.stop()
    this.#server?.close()
    const goodbye = Promise.all(this.#trackers.map((tracker) => tracker.stop()))
    await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())])
    await this.#storage.close()
    // Who found nobody leaves nothing behind.
    if (this.#scheduler.have.size === 0 && this.#metainfo.length > 0) await this.#storage.takeBack()
  }

  #makeFetching({ metainfo, downloadLimit = 0 }: ParticipantOptions): Downloader {
    const [scheduler, storage, neighbours] = [this.#scheduler, this.#storage, this.#neighbours]
    const limit = new RateLimit(downloadLimit, now())
    return new Downloader(
      { metainfo, scheduler, storage, neighbours, limit, now },
      {
        verified: (piece, content) => this.#sharing.verified(piece, content),
        written: (piece) => {
          this.#sharing.written(piece)
          this.#options.onPiece?.(piece)
        },
        complete: () => this.#completed(),
        failed: (error) => this.#fail(error),
      },
    )
  }

  #makeSharing({ metainfo, fleet, uploadLimit = 0 }: ParticipantOptions): Uploader {
    const [scheduler, neighbours] = [this.#scheduler, this.#neighbours]
    return new Uploader({
      ...metainfo,
      scheduler,
      neighbours,
      limit: new RateLimit(uploadLimit, now()),
      now,
      read: (at, length) => this.#readContent(at, length),
      source: this.source,
      spreads: this.source && fleet !== 1,
    })
  }

  async #open(): Promise<void> {
    if (this.#options.role === 'seeder') await this.#openWhole()
    else await this.#openPartial()
    this.#server = await listen(this.#options.ports, (socket) => this.#neighbours.incoming(socket))
    this.listenPort = (this.#server.address() as { port: number }).port
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    for (const tracker of this.#trackers) void tracker.start()
    this.#neighbours.learn(this.#options.peers, true)
    this.#neighbours.dialMore()
    this.#fetching.finishIfDone()
  }

  async #openWhole(): Promise<void> {
    await this.#storage.checkLengths()
    await spotCheck(this.#metainfo, (at, into) => this.#storage.read(at, into), this.#options.path)
    for (let piece = 0; piece < this.pieceCount; piece++) this.#scheduler.alreadyHave(piece)
  }

  async #openPartial(): Promise<void> {
    const survey = await this.#storage.prepare()
    const read = (at: number, into: Buffer) => this.#storage.read(at, into)
    const mayHold = (at: number, length: number) => this.#storage.mayHold(survey, at, length)
    for await (const { piece, right } of checkPieces(this.#metainfo, read, { mayHold })) {
      if (!right) continue
      this.#scheduler.alreadyHave(piece)
      this.#options.onPiece?.(piece)
    }
  }

  accept(connection: Connection): boolean {
    if (!this.#neighbours.admit(connection)) return false
    if (this.exchanges) this.#exchange.join(connection)
    this.#scheduler.join(connection.id, connection.largestBlock, now())
    this.#describePeer(connection)
    this.#listenTo(connection)
    this.#sharing.join(connection)
    return true
  }

  left(connection: Connection): void {
    if (!this.#neighbours.left(connection)) return
    this.#exchange.leave(connection)
    this.#scheduler.leave(connection.id)
    this.#sharing.leave(connection)
  }

  content(piece: number, offset: number, length: number): Buffer | Promise<Buffer> | undefined {
    return this.#sharing.content(piece, offset, length)
  }

  sendBudget(): number {
    return this.#sharing.budget()
  }

  spend(bytes: number): void {
    this.#sharing.spend(bytes)
  }

  sent(connection: Connection, piece: number, bytes: number): void {
    this.#meter.sent(bytes)
    this.#sharing.sent(connection, piece, bytes)
  }

  #listenTo(connection: Connection): void {
    const { id, wire } = connection
    wire.on('bitfield', (bits: Uint8Array) => {
      this.#theyHave(connection, PieceSet.fromBitfield(bits, this.pieceCount))
    })
    wire.on('have-all', () => this.#theyHave(connection, new PieceSet(this.pieceCount).fill()))
    wire.on('have-none', () => this.#theyHave(connection, []))
    wire.on('have', (piece: number) => this.#theyHave(connection, [piece], now()))
    wire.on('unchoke', () => {
      this.#scheduler.unchoked(id)
      this.#fetching.askSoon(connection)
    })
    wire.on('choke', () => this.#scheduler.choked(id, wire.hasFast))
    wire.on('extended', () => this.#describePeer(connection))
    wire.on('piece', (piece: number, offset: number, block: Uint8Array) => {
      this.#meter.received(block.length, connection.source)
      this.#fetching.arrived(connection, { piece, offset, length: block.length }, block)
    })
    wire.on('reject', (piece: number, offset: number, length: number) => {
      this.#fetching.rejected(connection, { piece, offset, length })
    })
  }

  #describePeer({ id, largestBlock, source }: Connection): void {
    this.#scheduler.describe(id, { largestBlock, source })
    this.#foundContent ||= source
  }

  /** `since` when, for what they have just got. */
  #theyHave(connection: Connection, pieces: Iterable<number>, since?: number): void {
    let useful = false
    for (const piece of pieces) useful = this.#scheduler.peerHas(connection.id, piece, since) || useful
    this.#sharing.theyHave(connection, pieces)
    if (!useful) return
    this.#foundContent = true
    connection.wire.interested()
    this.#fetching.askSoon(connection)
  }

  #swarmIs(size: number): void {
    this.#neighbours.swarmIs(size)
    this.#scheduler.swarmIs(this.#neighbours.swarm)
    askAhead(this.#scheduler.ahead * 1000)
  }

  #learn(addresses: string[]): void {
    this.#neighbours.learn(addresses)
    this.#neighbours.dialMore()
  }

  /**
   * Whether more peers should be found soon. A seeder looks for them too, until the first copies have left it: clients that
   * try uTP first reach nobody here for half a minute, but can be reached.
   */
  #isHungry(): boolean {
    const served = this.source
      ? this.#sharing.showsAll && this.#neighbours.everConnected
      : this.#scheduler.done
    return !served && this.#neighbours.wantsMore
  }

  #tick(): void {
    this.#fetching.tick()
    this.#sharing.tick()
    this.#exchange.tick()
    this.#guessWithoutTracker()
    this.#neighbours.dialMore()
  }

  /** The seeder tells of others too, but not of all of a large fleet. */
  #guessWithoutTracker(): void {
    const { hosts, ports } = this.#options
    if (this.#guessed || !hosts || this.#trackers.some(({ error }) => error === undefined)) return
    this.#guessed = true
    this.#learn(guessAddresses(hosts, ports[0], Math.random))
  }

  #completed(): void {
    for (const { wire } of this.#neighbours) wire.uninterested()
    if (this.#options.role === 'peer') for (const tracker of this.#trackers) void tracker.completed()
    this.#resolveComplete()
  }

  #fail(error: unknown): void {
    this.#rejectComplete(error)
    void this.stop()
  }

  async #readContent(position: number, length: number): Promise<Buffer> {
    try {
      return await this.#storage.read(position, Buffer.allocUnsafeSlow(length))
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  #describe() {
    const { received, sent } = this.#meter.read(now())
    return {
      infoHash: this.infoHash,
      peerId: this.peerId,
      port: this.listenPort,
      uploaded: sent,
      downloaded: received,
      left: this.#metainfo.length - this.#bytesHere(),
      want: PEERS_WANTED,
      ...(this.#options.address === undefined ? {} : { address: this.#options.address }),
    }
  }

  #bytesHere(): number {
    const { have } = this.#scheduler
    const last = this.pieceCount - 1
    const short = have.has(last) ? this.#metainfo.pieceLength - this.#scheduler.pieceLength(last) : 0
    return have.size * this.#metainfo.pieceLength - short
  }
}

/** Seconds, on a clock that only goes forward. */
function now(): number {
  return performance.now() / 1000
}
