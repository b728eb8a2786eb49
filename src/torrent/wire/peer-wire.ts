import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Coalescer } from './coalescing.ts'
import { decodeExtendedHandshake, encodeExtendedHandshake, offeredExtensions } from './extended-handshake.ts'
import { AGENT_EXTENSION } from './extensions.ts'
import { Framing } from './framing.ts'
import * as message from './messages.ts'
import { type Lender, Outbox } from './outbox.ts'
import { emitMessage, type WireEvents } from './wire-events.ts'

/** The longest block that agents send each other. */
export const LARGEST_BLOCK_BYTES = 128 * 1024
/** The block that every client asks for (BEP 3). */
export const STANDARD_BLOCK_BYTES = 16 * 1024
const EXTENDED_HANDSHAKE_ID = 0
/** The longest message while the wire is locked: an extended handshake or a proof. */
const LONGEST_LOCKED_BYTES = 1024
/** A connection may be silent for two minutes (BEP 3). */
const KEEP_ALIVE_MS = 55_000

/** One connection that speaks BitTorrent (BEP 3, with BEP 6 and BEP 10). Any violation of the protocol closes it. */
export class PeerWire extends EventEmitter<WireEvents> {
  readonly socket: Socket
  /** The other side's, in hex; undefined before its handshake. */
  peerId: string | undefined
  /** Both sides know BEP 6. */
  hasFast = false
  /** This is one more connection to a neighbour, and carries blocks only. */
  isSubflow = false
  /** Nothing more may be sent, because either side has ended the connection. */
  isEnding = false
  /** The extensions that we offer, by the id of their messages to us. */
  readonly extendedMapping: Record<number, string> = {}
  /** Further keys of our extended handshake. */
  extendedHandshake: Record<string, unknown> = {}
  /** The extensions that both sides know: the other side's id by the name. */
  readonly peerExtendedMapping: Record<string, number> = Object.create(null)
  readonly #framing: Framing
  readonly #longestMessage: number
  readonly #outbox: Outbox
  readonly #coalescer: Coalescer
  #isLocked = false
  #isInterested = false
  #handshakeSent = false
  #extendedHandshakeSent = false
  #peerHasExtensions = false
  #keepAlive: NodeJS.Timeout | undefined

  constructor(socket: Socket, { pieceCount, coalescer }: { pieceCount: number; coalescer: Coalescer }) {
    super()
    this.socket = socket
    this.#coalescer = coalescer
    this.#outbox = new Outbox(socket, coalescer)
    this.#longestMessage = Math.max(
      LARGEST_BLOCK_BYTES + message.PIECE_HEADER_BYTES,
      Math.ceil(pieceCount / 8) + 1,
      message.LONGEST_EXTENDED_BYTES,
    )
    this.#framing = new Framing({
      handshakeLength: message.HANDSHAKE_BYTES,
      longest: this.#longestMessage,
      onHandshake: (bytes) => this.#readHandshake(bytes),
      onMessage: (bytes) => this.#readMessage(bytes),
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    this.#bypassStream(socket)
    socket.on('error', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  /** Whether the other side is an agent too, by its extended handshake. */
  get isAgent(): boolean {
    return AGENT_EXTENSION in this.peerExtendedMapping
  }

  get isLocked(): boolean {
    return this.#isLocked
  }

  /** From now on only short extension messages are accepted. Any other message closes the connection. */
  lock(): void {
    this.#isLocked = true
    this.#framing.longest = LONGEST_LOCKED_BYTES
  }

  unlock(): void {
    this.#isLocked = false
    this.#framing.longest = this.#longestMessage
  }

  /** Bytes to send that the system has not taken yet. */
  get queuedBytes(): number {
    return this.#outbox.waiting + this.socket.writableLength
  }

  destroy(): void {
    this.#coalescer.agentLeft(this)
    clearInterval(this.#keepAlive)
    if (!this.socket.destroyed) this.socket.destroy()
  }

  /** Sends the waiting messages, and then nothing more. Messages from the other side still arrive. */
  end(): void {
    if (this.isEnding) return
    this.isEnding = true
    clearInterval(this.#keepAlive)
    this.#outbox.flush()
    this.socket.end()
  }

  /** `infoHash` and `peerId` in hex. */
  handshake(infoHash: string, peerId: string): void {
    this.#outbox.sendRaw(message.encodeHandshake(infoHash, peerId, this.isSubflow))
    this.#handshakeSent = true
    this.#sendExtendedHandshake()
    this.#keepAlive = setInterval(() => this.#outbox.sendRaw(message.KEEP_ALIVE), KEEP_ALIVE_MS)
    this.#keepAlive.unref()
  }

  choke(): void {
    this.#outbox.send(message.CHOKE)
  }

  unchoke(): void {
    this.#outbox.send(message.UNCHOKE)
  }

  interested(): void {
    if (!this.#isInterested) this.#outbox.send(message.INTERESTED)
    this.#isInterested = true
  }

  uninterested(): void {
    if (this.#isInterested) this.#outbox.send(message.UNINTERESTED)
    this.#isInterested = false
  }

  /** Sent with the next urgent message, or alone some milliseconds later. */
  have(piece: number): void {
    this.#outbox.send(message.HAVE, [piece], false)
  }

  bitfield(bits: Uint8Array): void {
    this.#outbox.sendBytes(message.BITFIELD, bits)
  }

  /** Only with `hasFast`; so is `haveNone`. */
  haveAll(): void {
    this.#outbox.send(message.HAVE_ALL)
  }

  haveNone(): void {
    this.#outbox.send(message.HAVE_NONE)
  }

  request(piece: number, offset: number, length: number): void {
    this.#outbox.send(message.REQUEST, [piece, offset, length])
  }

  cancel(piece: number, offset: number, length: number): void {
    this.#outbox.send(message.CANCEL, [piece, offset, length])
  }

  /** Says that a request will not be answered, if the other side knows that message (BEP 6). */
  reject(piece: number, offset: number, length: number): void {
    if (this.hasFast) this.#outbox.send(message.REJECT, [piece, offset, length])
  }

  /** `block` may be used again at once, unless it is part of `memory`, which counts its users. */
  sendBlock(piece: number, offset: number, block: Uint8Array, memory?: Lender): void {
    this.#outbox.sendBlock(piece, offset, block, memory)
  }

  /** Sends a message of an extension, if the other side has offered it. */
  extended(name: string, content: Uint8Array): void {
    const id = this.peerExtendedMapping[name]
    if (id) this.#outbox.sendBytes(message.EXTENDED, Buffer.concat([Buffer.from([id]), content]))
  }

  /**
   * Node passes the bytes that it has read to the stream's `push`. We take them there, and skip the stream's buffer and events,
   * which we do not need (8 % of a peer's CPU time). If a version of Node does not call `push`, the bytes come as 'data'.
   */
  #bypassStream(socket: Socket): void {
    const push = socket.push.bind(socket)
    socket.push = (chunk: Buffer | null) => {
      if (chunk === null) {
        this.end()
        return push(null)
      }
      this.take(chunk)
      return true
    }
  }

  /** Bytes from the other side. They are used or copied when this returns. Bad input closes this connection only. */
  take(chunk: Buffer): void {
    this.#coalescer.received(this, chunk.length)
    try {
      this.#framing.push(chunk)
    } catch {
      this.destroy()
    }
  }

  #readHandshake(bytes: Buffer): void {
    const handshake = message.decodeHandshake(bytes)
    if (!handshake) return this.destroy()
    this.peerId = handshake.peerId
    this.hasFast = handshake.fast
    this.#peerHasExtensions = handshake.extended
    this.emit('handshake', handshake.infoHash, handshake.peerId, handshake.subflow)
    this.#sendExtendedHandshake()
  }

  /** Sends the extended handshake again with more keys, as BEP 10 allows. */
  repeatHandshake(more: Record<string, unknown>): void {
    Object.assign(this.extendedHandshake, more)
    this.#extendedHandshakeSent = false
    this.#sendExtendedHandshake()
  }

  /** Once, when both handshakes (BEP 3) have been made. */
  #sendExtendedHandshake(): void {
    if (this.#extendedHandshakeSent || !this.#handshakeSent || !this.#peerHasExtensions) return
    this.#extendedHandshakeSent = true
    const content = encodeExtendedHandshake(this.extendedMapping, this.extendedHandshake)
    this.#outbox.sendBytes(message.EXTENDED, Buffer.concat([Buffer.from([EXTENDED_HANDSHAKE_ID]), content]))
  }

  #readMessage(bytes: Buffer): void {
    if (this.socket.destroyed) return
    if (this.#isLocked && bytes[0] !== message.EXTENDED) return this.destroy()
    if (!message.isWellFormed(bytes)) return this.destroy()
    if (bytes[0] === message.EXTENDED) this.#readExtended(bytes[1] as number, Buffer.from(bytes.subarray(2)))
    else emitMessage(this, bytes)
  }

  #readExtended(id: number, content: Buffer): void {
    if (id !== EXTENDED_HANDSHAKE_ID)
      return void this.emit('extended', this.extendedMapping[id] ?? id, content)
    const handshake = decodeExtendedHandshake(content)
    if (!handshake) return
    Object.assign(this.peerExtendedMapping, offeredExtensions(handshake))
    if (this.isAgent && !this.isSubflow && !this.socket.destroyed) this.#coalescer.agentJoined(this)
    this.emit('extended-handshake', handshake)
  }
}
