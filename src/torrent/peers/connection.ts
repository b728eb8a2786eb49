import type { Socket } from 'node:net'
import { authenticate } from '../access/authentication.ts'
import { formatAddress } from '../encoding/compact.ts'
import { PEX_EXTENSION, PEX_EXTENSION_ID } from '../wire/extensions.ts'
import { AGENT_EXTENSION, LARGEST_BLOCK, PeerWire, STRANGERS_BLOCK } from '../wire/peer-wire.ts'
import { RateLimit } from './rate-limit.ts'

/** How ids of agents begin, in hex: `-MU`. */
const AGENT = '2d4d55'
/** Seconds after which a connection is closed that has not shaken hands, and proved itself where that is asked. */
const HANDSHAKE_TIMEOUT = 5
/** Bytes waiting in a socket above which nothing more is read for it. */
const HIGH_WATER = 512 * 1024

/**
 * Key of the extended handshake by which a seeder of ours says what it is. Not BEP 21's `upload_only`: libtorrent
 * closes connections to whoever says that and has nothing to show yet.
 */
const SOURCE = 'murder_source'

/** Requests that one connection may have waiting here. Asking for more ends the connection. */
const MOST_REQUESTS = 2048

interface Serving {
  piece: number
  offset: number
  length: number
}

/** What a connection needs of the process it belongs to. */
export interface Host {
  readonly infoHash: string
  readonly peerId: string
  readonly pieceCount: number
  readonly listenPort: number
  readonly source: boolean
  /** Whether agents may tell each other of others in this swarm. */
  readonly exchanges: boolean
  /** What neighbours must prove to know (`keyOf`); anybody may come when there is none. */
  readonly key: Buffer | undefined
  /** Hands are shaken, and the other side is one of the swarm. Returns false when the connection is not wanted (ourselves, a double). */
  accept(connection: Connection): boolean
  left(connection: Connection): void
  /** The content asked for, or undefined when it is not here or not a valid range. */
  content(piece: number, offset: number, length: number): Buffer | Promise<Buffer> | undefined
  /** Bytes that may be sent now, to all. */
  sendBudget(): number
  /** They will be sent now, or when they have been read. */
  spend(bytes: number): void
  /** Bytes a second to any one neighbour; 0 is no limit. */
  readonly limitOfEach: number
  /** The longest block that should be asked of us, and that we ask for. */
  readonly smoothUpload: number
  readonly smoothDownload: number
  sent(connection: Connection, piece: number, bytes: number): void
}

/** One neighbour: its wire, who it is, and the blocks it waits for from us. */
export class Connection {
  readonly id: number
  readonly wire: PeerWire
  readonly outgoing: boolean
  /** `host:port` where it listens; undefined while that is not known. */
  address: string | undefined
  /** It is a seeder of ours, which may show its pieces one by one. */
  source = false
  readonly #host: Host
  readonly #patience: NodeJS.Timeout
  readonly #queue: Serving[] = []
  readonly #limit: RateLimit
  /** The longest block that the other side wants to be asked for. */
  #smoothForThem = LARGEST_BLOCK
  /** A block is being read from disk: those behind it wait. */
  #reading = false
  #closed = false

  constructor(id: number, socket: Socket, host: Host, outgoingTo?: string) {
    this.id = id
    this.#host = host
    this.outgoing = outgoingTo !== undefined
    this.address = outgoingTo
    this.#limit = new RateLimit(host.limitOfEach, now())
    this.wire = new PeerWire(socket, { pieceCount: host.pieceCount })
    this.wire.extendedMapping[1] = AGENT_EXTENSION
    if (host.exchanges) this.wire.extendedMapping[PEX_EXTENSION_ID] = PEX_EXTENSION
    this.wire.extendedHandshake = {
      v: 'shipit-murder',
      p: host.listenPort,
      reqq: 1024,
      murder_block: host.smoothUpload,
      ...(host.source ? { [SOURCE]: 1 } : {}),
    }
    this.#patience = setTimeout(() => this.close(), HANDSHAKE_TIMEOUT * 1000)
    this.wire.on('handshake', (infoHash: string) => this.#shaken(infoHash))
    this.wire.on('extended', (name: unknown, content: unknown) => {
      if (name === 'handshake') this.#introduced(content as Record<string, unknown>)
    })
    this.wire.on('request', (piece: number, offset: number, length: number) => {
      this.#asked({ piece, offset, length })
    })
    this.wire.on('cancel', (piece: number, offset: number, length: number) => {
      this.#takenBack({ piece, offset, length })
    })
    socket.on('drain', () => this.pump())
    socket.on('close', () => {
      clearTimeout(this.#patience)
      this.#closed = true
      this.#queue.length = 0
      host.left(this)
    })
    const { key, infoHash, peerId } = host
    if (key)
      authenticate(this.wire, { key, infoHash, peerId, outgoing: this.outgoing }, () => this.#welcome())
    if (this.outgoing) this.#shakeHands()
  }

  get peerId(): string {
    return this.wire.peerId ?? ''
  }

  /** Whether its id is an agent's: that is known before its extended handshake. */
  get namesAgent(): boolean {
    return this.peerId.startsWith(AGENT)
  }

  get remoteHost(): string {
    return (this.wire.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  }

  get localHost(): string {
    return (this.wire.socket.localAddress ?? '').replace(/^::ffff:/, '')
  }

  get largestBlock(): number {
    if (!this.wire.isAgent) return STRANGERS_BLOCK
    return Math.min(this.#smoothForThem, this.#host.smoothDownload)
  }

  /**
   * Whoever shows its pieces one by one waits for our haves of what it has itself before it shows more: our own seeders,
   * and strangers that super-seed (BEP 16) and don't say so.
   */
  get wantsEveryHave(): boolean {
    return this.source || !this.wire.isAgent
  }

  close(): void {
    this.wire.destroy()
  }

  /** Sends what is asked for, in order, as fast as the socket and the upload limit take it. */
  pump(): void {
    while (this.#maySend()) {
      const next = this.#queue.shift() as Serving
      this.#limit.take(next.length)
      this.#host.spend(next.length)
      const block = this.#host.content(next.piece, next.offset, next.length)
      if (block === undefined) this.wire.reject(next.piece, next.offset, next.length)
      else if (Buffer.isBuffer(block)) this.#send(next, block)
      else return void this.#sendLater(next, block)
    }
  }

  #maySend(): boolean {
    if (this.#queue.length === 0 || this.#reading || this.#closed) return false
    return this.wire.queued < HIGH_WATER && this.#host.sendBudget() > 0 && this.#limit.available(now()) > 0
  }

  async #sendLater(serving: Serving, reading: Promise<Buffer>): Promise<void> {
    this.#reading = true
    try {
      const block = await reading
      if (!this.#closed) this.#send(serving, block)
    } catch {
      // The reader has reported it; this peer asks elsewhere.
      this.close()
    } finally {
      this.#reading = false
    }
    this.pump()
  }

  #send({ piece, offset }: Serving, block: Buffer): void {
    this.wire.sendBlock(piece, offset, block)
    this.#host.sent(this, piece, block.length)
  }

  #shakeHands(): void {
    this.wire.handshake(this.#host.infoHash, this.#host.peerId)
  }

  #shaken(infoHash: string): void {
    if (infoHash !== this.#host.infoHash) return this.close()
    if (!this.outgoing) this.#shakeHands()
    if (!this.wire.isLocked) this.#welcome()
  }

  #welcome(): void {
    clearTimeout(this.#patience)
    if (!this.#host.accept(this)) return this.close()
  }

  #introduced(content: Record<string, unknown>): void {
    this.source = content[SOURCE] === 1
    const smooth = Number(content.murder_block)
    if (smooth >= STRANGERS_BLOCK && smooth <= LARGEST_BLOCK) this.#smoothForThem = smooth
    const port = Number(content.p)
    if (!this.outgoing && port > 0 && port < 65536) this.address = formatAddress(this.remoteHost, port)
  }

  #asked(serving: Serving): void {
    if (serving.length < 1 || serving.length > LARGEST_BLOCK) return this.close()
    if (this.#queue.length >= MOST_REQUESTS) return this.close()
    this.#queue.push(serving)
    this.pump()
  }

  /**
   * BEP 6: each request is answered, one that is taken back too, and other clients count it as under way until then. An agent
   * has forgotten it, and would take the answer for that of a later request.
   */
  #takenBack({ piece, offset, length }: Serving): void {
    const at = this.#queue.findIndex(
      (serving) => serving.piece === piece && serving.offset === offset && serving.length === length,
    )
    if (at < 0) return
    this.#queue.splice(at, 1)
    if (!this.wire.isAgent) this.wire.reject(piece, offset, length)
  }
}

const now = () => performance.now() / 1000
