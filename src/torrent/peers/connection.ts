import type { Socket } from 'node:net'
import { formatAddress, unmapped } from '../../system/addresses.ts'
import { authenticate } from '../access/authentication.ts'
import type { Coalescer } from '../wire/coalescing.ts'
import {
  AGENT_EXTENSION,
  AGENT_EXTENSION_ID,
  METADATA_EXTENSION,
  METADATA_EXTENSION_ID,
  PEX_EXTENSION,
  PEX_EXTENSION_ID,
  SITE_EXTENSION,
  SITE_EXTENSION_ID,
  SUBFLOW_EXTENSION,
  SUBFLOW_EXTENSION_ID,
} from '../wire/extensions.ts'
import { LARGEST_BLOCK_BYTES, PeerWire, STANDARD_BLOCK_BYTES } from '../wire/peer-wire.ts'
import { newsKeys, ownKeys, readKeys } from './handshake-keys.ts'
import { RateLimit } from './limits/rate-limit.ts'
import { type BlockSource, UploadQueue } from './limits/upload-queue.ts'
import { isAgentId, type LocalPeer } from './local-peer.ts'
import { Flows } from './subflows/flows.ts'

/** Time for the handshake, and for the proof if a key is required. */
const HANDSHAKE_TIMEOUT_MS = 5000

/** What all connections of a process share. */
export interface ConnectionContext {
  readonly local: LocalPeer
  readonly source: BlockSource
  readonly coalescer: Coalescer
  readonly nowS: () => number
  /** The handshake is done, and the other side has proved that it belongs to the swarm. */
  onReady(connection: Connection): void
  /** Another side has dialed and sent its handshake: `answer` goes on, now or in a moment. */
  onCalled(connection: Connection, answer: () => void): void
  onClose(connection: Connection): void
}

/** How a connection of ours began. */
export interface Dialed {
  address: string
  /** Upper and lower bound of the round trip, in seconds. */
  took: { mostS: number; leastS: number }
  /** It is one more connection to a neighbour. */
  isSubflow: boolean
}

/** How a connection came about. */
export interface Origin {
  /** We have opened it. */
  dialed?: Dialed
  /** Set for a connection that is not TCP: the host at its other end. */
  linkTo?: string
}

/** The connection to one neighbour, and what the neighbour has said about itself. */
export class Connection {
  readonly id: number
  readonly wire: PeerWire
  readonly uploads: UploadQueue
  /** This connection, and others to the same neighbour. */
  readonly flows: Flows
  readonly outgoing: boolean
  /** Not a TCP connection: its address is useless to others and for further connections. */
  readonly isLink: boolean
  /** Stays known after the connection has ended. */
  readonly remoteHost: string
  /** `host:port` where the neighbour listens; undefined while that is not known. */
  address: string | undefined
  /** Content bytes that it has sent. */
  receivedBytes = 0
  /** The shortest time to the neighbour and back so far, in seconds, including queues and busy processes. */
  roundTripS = Number.POSITIVE_INFINITY
  /** A lower bound of the round trip, measured by the side that opened the connection. */
  leastRoundTripS = 0
  /** Whether the neighbour is our seeder, which may show its pieces one by one. */
  isSeeder = false
  /** The site that the neighbour says it is in. */
  site: string | undefined
  siteKey: string | undefined
  /** Its number among the leaders of its site, as it says. */
  rank: number | undefined
  /** Bytes of the info dictionary, when the neighbour says that it has all of it. */
  metadataSize: number | undefined
  readonly #context: ConnectionContext
  readonly #handshakeTimer: NodeJS.Timeout
  /** When our handshake left. Its answer, or what follows the answer, takes a round trip. */
  #handshakeAtS = Number.POSITIVE_INFINITY
  /** The longest block that the neighbour wants to be asked for. */
  #largestUploadOfPeer = LARGEST_BLOCK_BYTES

  constructor(id: number, socket: Socket, context: ConnectionContext, { dialed, linkTo }: Origin = {}) {
    const { local, coalescer, source, nowS } = context
    this.id = id
    this.#context = context
    this.outgoing = dialed !== undefined
    this.address = dialed?.address
    this.#measured(dialed?.took.mostS)
    this.leastRoundTripS = dialed?.took.leastS ?? 0
    this.isLink = linkTo !== undefined
    this.remoteHost = linkTo ?? unmapped(socket.remoteAddress ?? '')
    this.wire = new PeerWire(socket, { pieceCount: local.pieceCount, coalescer })
    this.flows = new Flows(this.wire)
    this.wire.isSubflow = dialed?.isSubflow === true
    this.#offer()
    this.#handshakeTimer = setTimeout(() => this.close(), HANDSHAKE_TIMEOUT_MS)
    this.wire.on('handshake', (infoHash, _, subflow) => this.#handshakeCame(infoHash, subflow))
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
    this.wire.extendedMapping[SUBFLOW_EXTENSION_ID] = SUBFLOW_EXTENSION
    this.wire.extendedMapping[SITE_EXTENSION_ID] = SITE_EXTENSION
    this.wire.extendedMapping[METADATA_EXTENSION_ID] = METADATA_EXTENSION
    if (local.exchangesPeers) this.wire.extendedMapping[PEX_EXTENSION_ID] = PEX_EXTENSION
    this.wire.extendedHandshake = ownKeys(local, this.outgoing ? this.leastRoundTripS : undefined)
  }

  /** Tells an agent our site and the size of our metadata, if these were unknown when the handshake was sent. */
  tellNews(): void {
    const { extendedHandshake, isAgent } = this.wire
    const keys = newsKeys(this.#context.local)
    const isNews = Object.entries(keys).some(([key, value]) => extendedHandshake[key] !== value)
    if (isAgent && isNews) this.wire.repeatHandshake(keys)
  }

  #sendHandshake(): void {
    this.#handshakeAtS = this.#context.nowS()
    this.wire.handshake(this.#context.local.infoHash, this.#context.local.peerId)
  }

  #handshakeCame(infoHash: string, subflow: boolean): void {
    if (infoHash !== this.#context.local.infoHash) return this.close()
    this.#answered()
    if (this.outgoing) return this.#agreed()
    this.wire.isSubflow = subflow
    this.#context.onCalled(this, () => {
      if (this.wire.socket.destroyed) return
      this.#sendHandshake()
      this.#agreed()
    })
  }

  #agreed(): void {
    if (!this.wire.isLocked) this.#ready()
  }

  /** The other side has answered our handshake, if ours was sent already. */
  #answered(): void {
    this.#measured(this.#context.nowS() - this.#handshakeAtS)
    this.#handshakeAtS = Number.POSITIVE_INFINITY
  }

  #measured(roundTripS = Number.POSITIVE_INFINITY): void {
    if (roundTripS >= 0) this.roundTripS = Math.min(this.roundTripS, roundTripS)
  }

  #ready(): void {
    clearTimeout(this.#handshakeTimer)
    this.#context.onReady(this)
  }

  #extendedHandshakeCame(content: Record<string, unknown>): void {
    this.#answered()
    const said = readKeys(content)
    this.isSeeder = said.isSeeder
    this.site = said.site
    this.siteKey = said.siteKey
    this.rank = said.rank
    this.metadataSize = said.metadataSize
    this.#largestUploadOfPeer = said.largestUpload ?? this.#largestUploadOfPeer
    if (this.outgoing) return
    this.leastRoundTripS = said.leastRoundTripS ?? this.leastRoundTripS
    if (said.port !== undefined) this.address = formatAddress(this.remoteHost, said.port)
  }
}
