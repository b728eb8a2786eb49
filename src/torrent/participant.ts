import type { Server } from 'node:net'
import { defined } from '../system/defined.ts'
import type { Suspect } from './access/ban-list.ts'
import type { Bottlenecks } from './bottlenecks.ts'
import { Downloader } from './downloader.ts'
import { MetadataExchange } from './metadata/metadata-exchange.ts'
import { piecesOfInfo } from './metainfo/magnet.ts'
import { OwnContent } from './own-content.ts'
import type { ParticipantOptions, Stats } from './participant-options.ts'
import type { Connection } from './peers/connection.ts'
import { Discovery } from './peers/discovery.ts'
import { RateLimit } from './peers/limits/rate-limit.ts'
import { listen } from './peers/listen.ts'
import { Neighbours } from './peers/neighbours.ts'
import { PeerListener } from './peers/peer-listener.ts'
import { SiteExchange } from './peers/site-exchange.ts'
import { Subflows } from './peers/subflows/subflows.ts'
import type { PieceArrivals } from './piece-arrivals.ts'
import { type SwarmContext, swarmContext } from './swarm-context.ts'
import { Uploader } from './uploader.ts'

const TICK_MS = 100

/**
 * One process's part in a swarm: a seeder or a peer. Makes the parts and joins them: `Discovery` finds peers, `Neighbours` holds
 * the connections, `PeerListener` handles their messages, `Downloader` fetches missing pieces, `Uploader` sends pieces, and the
 * scheduler decides.
 */
export class Participant {
  /** Resolves when all content is here, verified and written; rejects with a MurderError when that becomes impossible. */
  readonly complete: Promise<void>
  /** Rejects with a MurderError when this process can no longer share, even after `complete`. */
  readonly failed: Promise<never>
  readonly #context: SwarmContext
  readonly #content: OwnContent
  readonly #uploader: Uploader
  readonly #downloader: Downloader
  readonly #neighbours: Neighbours
  readonly #listener: PeerListener
  readonly #subflows: Subflows
  readonly #discovery: Discovery
  readonly #sites: SiteExchange
  /** Whether any neighbour is known to be in another site. */
  #hasSites = false
  readonly #metadata: MetadataExchange
  #server: Server | undefined
  #timer: NodeJS.Timeout | undefined
  #wrongSeeder: Stats['wrongSeeder']
  #stopped = false
  #resolveComplete!: () => void
  #rejectComplete!: (error: unknown) => void
  #reportFailure!: (error: unknown) => void

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
    const { fleet, uploadLimit = 0, downloadLimit = 0 } = options
    this.#context = swarmContext(options)
    const { bottlenecks, nowS } = this.#context
    this.#content = new OwnContent(this.#context)
    this.#uploader = new Uploader(this.#context, {
      limit: new RateLimit(uploadLimit, nowS()),
      read: (position, into) => bottlenecks.reading(() => this.#readContent(position, into), nowS),
      superSeeds: options.role === 'seeder' && fleet !== 1,
    })
    this.#neighbours = new Neighbours(this.#context, this.#uploader, {
      joined: (connection) => this.#joined(connection),
      left: (connection) => this.#left(connection),
      subflowReady: (subflow) => this.#subflows.add(subflow),
      subflowEnded: (subflow) => this.#subflows.ended(subflow),
    })
    this.#sites = new SiteExchange(this.#context, ({ id }, facts) => {
      this.#context.scheduler.locate(id, facts)
      this.#uploader.locate(id, facts.isNear)
      if (facts.isNear) return
      this.#neighbours.refuseFar(id)
      this.#hasSites = true
      this.#pace()
    })
    this.#metadata = new MetadataExchange(this.#context, {
      sent: ({ id }, bytes) => this.#uploader.spend(id, bytes),
      verified: (info) => this.#hashesCame(info),
      sentWrong: (peer) => this.#ban(peer, 0),
    })
    this.#downloader = new Downloader(this.#context, new RateLimit(downloadLimit, nowS()), {
      verified: (piece, content) => this.#uploader.verified(piece, content),
      written: (piece) => this.#written(piece),
      imports: (pieces) => this.#sites.tellImports(pieces),
      complete: () => this.#completed(),
      sentWrongBytes: (peer, piece) => this.#ban(peer, piece),
      failed: (error) => this.#fail(error),
    })
    this.#listener = new PeerListener(this.#context, this.#downloader, this.#uploader)
    this.#subflows = new Subflows(this.#context, this.#downloader, this.#listener, (neighbour, failed) =>
      this.#neighbours.dialSubflow(neighbour, failed),
    )
    this.#discovery = new Discovery(this.#context, this.#neighbours, {
      isServed: () => this.#isServed(),
      onSwarmSize: (size) => this.#raiseSwarmSize(size),
      onPlace: (place) => this.#sites.foundAt(place),
      onGuidance: ({ rank, partners }) => {
        this.#sites.ledAs(rank)
        this.#neighbours.guide(partners)
      },
    })
    this.#raiseSwarmSize((fleet ?? -1) + 1)
    this.complete = new Promise((resolve, reject) => {
      this.#resolveComplete = resolve
      this.#rejectComplete = reject
    })
    this.failed = new Promise((_, reject) => {
      this.#reportFailure = reject
    })
    // A caller that waits sees the rejection. Without one, it must not end the process.
    this.complete.catch(() => {})
    this.failed.catch(() => {})
  }

  get port(): number {
    return this.#context.local.listenPort
  }

  stats(): Stats {
    const { trackerError } = this.#discovery
    return {
      bytes: this.#context.scheduler.bytesHere,
      total: this.#context.metainfo.length,
      ...this.#context.meter.read(this.#context.nowS()),
      peers: this.#context.connections.size,
      foundContent: this.#listener.foundContent,
      banned: this.#neighbours.banned,
      ...(this.#context.pieceHashes ? {} : { lacksHashes: true }),
      ...defined({ wrongSeeder: this.#wrongSeeder, trackerError }),
    }
  }

  /** Whether any neighbour is our seeder, or has something that is missing here. */
  get hasSource(): boolean {
    return this.#context.scheduler.hasSource
  }

  /** The neighbours that have sent most: `seeder`, `host:port` or a host, and bytes. */
  topSources(count: number): [source: string, bytes: number][] {
    return this.#context.sources.top(count)
  }

  /** The source and time of each piece, on the clock of performance.now(), and where time was lost. */
  get profile(): { arrivals: PieceArrivals; bottlenecks: Bottlenecks } {
    const { arrivals, bottlenecks } = this.#context
    return { arrivals, bottlenecks }
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#timer)
    this.#neighbours.stop()
    this.#server?.close()
    await this.#discovery.stop()
    await this.#context.storage.close()
    // If nothing came, remove the empty files. Holes may be right pieces, so the number of pieces does not tell.
    const { scheduler, meter, storage, nowS } = this.#context
    if (!scheduler.done && (scheduler.have.size === 0 || meter.read(nowS()).received === 0))
      await storage.removeEmpty()
  }

  async #open(): Promise<void> {
    await this.#content.find()
    this.#server = await listen(this.#context.options.ports, (socket) => this.#neighbours.incoming(socket))
    this.#context.local.listenPort = (this.#server.address() as { port: number }).port
    this.#context.options.links?.takeWith((socket, host) => this.#neighbours.incomingLink(socket, host))
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#discovery.start()
    this.#downloader.finishIfDone()
  }

  #tick(): void {
    this.#look()
    this.#subflows.tick()
    this.#downloader.tick()
    this.#uploader.tick()
    this.#discovery.tick()
    this.#metadata.tick()
    this.#context.siteLimit.share(this.#context.scheduler.sites)
  }

  #look(): void {
    const { bottlenecks, meter, nowS } = this.#context
    const { waitsForDisk, isFinished } = this.#downloader
    if (isFinished) return
    const { received, sent } = meter.read(nowS())
    bottlenecks.look(nowS(), { received, sent, waitsForDisk })
  }

  #joined(connection: Connection): void {
    this.#discovery.join(connection)
    this.#listener.join(connection)
    this.#uploader.join(connection)
    this.#subflows.join(connection)
    this.#sites.join(connection)
    this.#metadata.join(connection)
  }

  #left(connection: Connection): void {
    this.#discovery.leave(connection)
    this.#context.scheduler.leave(connection.id)
    this.#uploader.leave(connection)
    this.#subflows.leave(connection)
    this.#sites.leave(connection)
    this.#metadata.leave(connection)
  }

  #raiseSwarmSize(size: number): void {
    this.#neighbours.raiseSwarmSize(size)
    this.#context.scheduler.setSwarmSize(this.#neighbours.swarmSize)
    this.#pace()
  }

  #pace(): void {
    this.#context.coalescer.requestsAhead(this.#context.scheduler.aheadS * 1000, this.#hasSites)
  }

  /**
   * Until every piece has left it, a seeder looks for peers too. Clients that try uTP first cannot reach us for half a minute,
   * but we can reach them.
   */
  #isServed(): boolean {
    if (!this.#context.local.isSeeder) return this.#context.scheduler.done
    return this.#uploader.showsAll && this.#neighbours.everConnected
  }

  #written(piece: number): void {
    this.#uploader.written(piece)
    this.#context.options.onPiece?.(piece)
  }

  #hashesCame(info: Uint8Array): void {
    try {
      this.#context.pieceHashes = piecesOfInfo(info, this.#context.metainfo)
      this.#context.options.metadata?.onVerified(info)
    } catch (error) {
      return this.#fail(error)
    }
    for (const piece of this.#content.findZeros()) this.#uploader.found(piece)
    this.#downloader.checkWaiting()
    this.#downloader.finishIfDone()
  }

  #ban(peer: Suspect, piece: number): void {
    if (peer.isSeeder)
      this.#wrongSeeder = { address: peer.address ?? peer.remoteHost, files: this.#content.filesOf(piece) }
    this.#neighbours.ban(peer)
    this.#downloader.discardFrom((sender) => this.#neighbours.isBanned(sender))
  }

  #completed(): void {
    for (const { wire } of this.#context.connections.values()) wire.uninterested()
    if (!this.#context.local.isSeeder) this.#discovery.completed()
    this.#resolveComplete()
  }

  #fail(error: unknown): void {
    this.#rejectComplete(error)
    this.#reportFailure(error)
    void this.stop()
  }

  async #readContent(position: number, into: Buffer): Promise<Buffer> {
    try {
      return await this.#content.read(position, into)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }
}
