import type { Socket } from 'node:net'
import { formatAddress, unmapped } from '../../system/addresses.ts'
import { authenticate } from '../access/authentication.ts'
import type { Coalescer } from '../wire/coalescing.ts'
import { AGENT_EXTENSION, AGENT_EXTENSION_ID, PEX_EXTENSION, PEX_EXTENSION_ID } from '../wire/extensions.ts'
import { LARGEST_BLOCK_BYTES, PeerWire, STANDARD_BLOCK_BYTES } from '../wire/peer-wire.ts'
import { isAgentId, type LocalPeer } from './local-peer.ts'
import { RateLimit } from './rate-limit.ts'
import { type BlockSource, UploadQueue } from './upload-queue.ts'

/** For the handshake, and for the proof where a key is asked for. */
const HANDSHAKE_TIMEOUT_MS = 5000

/**
 * Key of the extended handshake by which our seeder says what it is. Not BEP 21's `upload_only`: libtorrent closes
 * connections to peers that say so and have nothing to show yet.
 */
const SEEDER_KEY = 'murder_source'
/** Key of the extended handshake: the longest block that the sender should be asked for. */
const BLOCK_KEY = 'murder_block'

/** What all connections of a process share. */
export interface ConnectionContext {
  readonly local: LocalPeer
  readonly source: BlockSource
  readonly coalescer: Coalescer
  readonly nowS: () => number
  /** The handshake is done, and the other side has proved that it belongs to the swarm. */
  onReady(connection: Connection): void
  onClose(connection: Connection): void
}

/** The connection to one neighbour, and what the neighbour has said about itself. */
export class Connection {
  readonly id: number
  readonly wire: PeerWire
  readonly uploads: UploadQueue
  readonly outgoing: boolean
  /** Stays known after the connection has ended. */
  readonly remoteHost: string
  /** `host:port` where the neighbour listens; undefined while that is not known. */
  address: string | undefined
  /** Whether the neighbour is our seeder, which may show its pieces one by one. */
  isSeeder = false
  readonly #context: ConnectionContext
  readonly #handshakeTimer: NodeJS.Timeout
  /** The longest block that the neighbour wants to be asked for. */
  #largestUploadOfPeer = LARGEST_BLOCK_BYTES

  constructor(id: number, socket: Socket, context: ConnectionContext, outgoingTo?: string) {
    const { local, coalescer, source, nowS } = context
    this.id = id
    this.#context = context
    this.outgoing = outgoingTo !== undefined
    this.address = outgoingTo
    this.remoteHost = unmapped(socket.remoteAddress ?? '')
    this.wire = new PeerWire(socket, { pieceCount: local.pieceCount, coalescer })
    this.#offer()
    this.#handshakeTimer = setTimeout(() => this.close(), HANDSHAKE_TIMEOUT_MS)
    this.wire.on('handshake', (infoHash) => this.#handshakeCame(infoHash))
    this.wire.on('extended-handshake', (content) => this.#extendedHandshakeCame(content))
    const limit = new RateLimit(local.limitOfEach, nowS())
    this.uploads = new UploadQueue(id, this.wire, { source, limit, nowS })
    socket.on('close', () => {
      clearTimeout(this.#handshakeTimer)
      this.uploads.close()
      context.onClose(this)
    })
    const { key, infoHash, peerId } = local
    if (key) authenticate(this.wire, { key, infoHash, peerId, outgoing: this.outgoing }, () => this.#ready())
    if (this.outgoing) this.#sendHandshake()
  }

  get peerId(): string {
    return this.wire.peerId ?? ''
  }

  /** By the peer id, which is known before the extended handshake. */
  get hasAgentId(): boolean {
    return isAgentId(this.peerId)
  }

  get localHost(): string {
    return unmapped(this.wire.socket.localAddress ?? '')
  }

  get largestBlock(): number {
    if (!this.wire.isAgent) return STANDARD_BLOCK_BYTES
    return Math.min(this.#largestUploadOfPeer, this.#context.local.largestDownload)
  }

  /**
   * A super-seeder (BEP 16) waits for our HAVE of each piece that it has shown, before it shows more. Our own seeders say that
   * they are seeders; other clients don't.
   */
  get wantsEveryHave(): boolean {
    return this.isSeeder || !this.wire.isAgent
  }

  close(): void {
    this.wire.destroy()
  }

  #offer(): void {
    const { local } = this.#context
    this.wire.extendedMapping[AGENT_EXTENSION_ID] = AGENT_EXTENSION
    if (local.exchangesPeers) this.wire.extendedMapping[PEX_EXTENSION_ID] = PEX_EXTENSION
    this.wire.extendedHandshake = {
      v: 'shipit-murder',
      p: local.listenPort,
      reqq: 1024,
      [BLOCK_KEY]: local.largestUpload,
      ...(local.isSeeder ? { [SEEDER_KEY]: 1 } : {}),
    }
  }

  #sendHandshake(): void {
    this.wire.handshake(this.#context.local.infoHash, this.#context.local.peerId)
  }

  #handshakeCame(infoHash: string): void {
    if (infoHash !== this.#context.local.infoHash) return this.close()
    if (!this.outgoing) this.#sendHandshake()
    if (!this.wire.isLocked) this.#ready()
  }

  #ready(): void {
    clearTimeout(this.#handshakeTimer)
    this.#context.onReady(this)
  }

  #extendedHandshakeCame(content: Record<string, unknown>): void {
    this.isSeeder = content[SEEDER_KEY] === 1
    const largest = Number(content[BLOCK_KEY])
    if (largest >= STANDARD_BLOCK_BYTES && largest <= LARGEST_BLOCK_BYTES) this.#largestUploadOfPeer = largest
    const port = Number(content.p)
    if (!this.outgoing && port > 0 && port < 65536) this.address = formatAddress(this.remoteHost, port)
  }
}
