import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import bencode from 'bencode'
import { decodeUntrusted } from '../encoding/bencode.ts'
import { heard, meet, part } from './coalescing.ts'
import { Framing } from './framing.ts'
import * as message from './messages.ts'
import { Outbox } from './outbox.ts'

/** Longest block that agents send each other; BEP 3 clients ask for 16 KiB. */
export const LARGEST_BLOCK = 128 * 1024
export const STRANGERS_BLOCK = 16 * 1024
/** Name of the extension (BEP 10) by which agents know each other. It has no messages. */
export const AGENT_EXTENSION = 'murder'
const EXTENDED_HANDSHAKE = 0
/** Before both ends have proved who they are: an extended handshake or a proof. */
const LONGEST_LOCKED = 1024
/** A neighbour may wait for two minutes (BEP 3). */
const KEEP_ALIVE_MS = 55_000
const KEEP_ALIVE = Buffer.alloc(4)

/**
 * A connection that speaks BitTorrent (BEP 3, with BEP 6 and BEP 10). Emits what the other side says:
 *
 * - `handshake` (infohash and peer id, hex), `extended` (`'handshake'` or the extension's name, its content);
 * - `choke`, `unchoke`, `bitfield` (bytes), `have-all`, `have-none`, `have` (piece);
 * - `request`, `cancel`, `reject` (piece, offset, length), `piece` (piece, offset, block).
 *
 * Blocks and bitfields are good only until the listener returns. What breaks the protocol ends the connection.
 */
export class PeerWire extends EventEmitter {
  readonly socket: Socket
  /** Hex, once hands are shaken. */
  peerId: string | undefined
  /** Both sides know BEP 6. */
  hasFast = false
  /** Extensions that we offer, by the number that their messages shall have; what our handshake says besides. */
  readonly extendedMapping: Record<number, string> = {}
  extendedHandshake: Record<string, unknown> = {}
  /** The other side's: the number by the name. */
  peerExtendedMapping: Record<string, number> = Object.create(null)
  peerExtendedHandshake: Record<string, unknown> = {}
  readonly #framing: Framing
  readonly #longest: number
  #locked = false
  readonly #outbox: Outbox
  #amInterested = false
  #shaken = false
  #peerExtends = false
  #introduced = false
  #keepAlive: NodeJS.Timeout | undefined

  constructor(socket: Socket, options: { pieceCount: number }) {
    super()
    this.socket = socket
    this.#outbox = new Outbox(socket)
    this.#longest = Math.max(
      LARGEST_BLOCK + message.PIECE_HEADER,
      Math.ceil(options.pieceCount / 8) + 1,
      message.LONGEST_EXTENDED,
    )
    this.#framing = new Framing({
      handshakeLength: message.HANDSHAKE_LENGTH,
      longest: this.#longest,
      onHandshake: (bytes) => this.#readHandshake(bytes),
      onMessage: (bytes) => this.#readMessage(bytes),
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    this.#shortenWay(socket)
    socket.on('error', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  /** Whether the other side is an agent too, by its extended handshake. */
  get isAgent(): boolean {
    return AGENT_EXTENSION in this.peerExtendedMapping
  }

  get isLocked(): boolean {
    return this.#locked
  }

  /** From now on only short extension messages are taken; anything else ends the connection. */
  lock(): void {
    this.#locked = true
    this.#framing.longest = LONGEST_LOCKED
  }

  unlock(): void {
    this.#locked = false
    this.#framing.longest = this.#longest
  }

  /** Bytes to be sent that the system has not taken yet. */
  get queued(): number {
    return this.#outbox.waiting + this.socket.writableLength
  }

  destroy(): void {
    part(this)
    clearInterval(this.#keepAlive)
    if (!this.socket.destroyed) this.socket.destroy()
  }

  /** `infoHash` and `peerId` in hex. */
  handshake(infoHash: string, peerId: string): void {
    this.#outbox.sayRaw(message.encodeHandshake(infoHash, peerId))
    this.#shaken = true
    this.#introduce()
    this.#keepAlive = setInterval(() => this.#outbox.sayRaw(KEEP_ALIVE), KEEP_ALIVE_MS)
    this.#keepAlive.unref()
  }

  choke(): void {
    this.#outbox.say(message.CHOKE)
  }

  unchoke(): void {
    this.#outbox.say(message.UNCHOKE)
  }

  interested(): void {
    if (!this.#amInterested) this.#outbox.say(message.INTERESTED)
    this.#amInterested = true
  }

  uninterested(): void {
    if (this.#amInterested) this.#outbox.say(message.UNINTERESTED)
    this.#amInterested = false
  }

  /** Leaves with the next urgent message, or some milliseconds later. */
  have(piece: number): void {
    this.#outbox.say(message.HAVE, [piece], false)
  }

  bitfield(bits: Uint8Array): void {
    this.#outbox.sayBytes(message.BITFIELD, bits)
  }

  /** Only with `hasFast`, as `haveNone`. */
  haveAll(): void {
    this.#outbox.say(message.HAVE_ALL)
  }

  haveNone(): void {
    this.#outbox.say(message.HAVE_NONE)
  }

  request(piece: number, offset: number, length: number): void {
    this.#outbox.say(message.REQUEST, [piece, offset, length])
  }

  cancel(piece: number, offset: number, length: number): void {
    this.#outbox.say(message.CANCEL, [piece, offset, length])
  }

  /** Says that a request will not be answered, to whoever understands it (BEP 6). */
  reject(piece: number, offset: number, length: number): void {
    if (this.hasFast) this.#outbox.say(message.REJECT, [piece, offset, length])
  }

  sendBlock(piece: number, offset: number, block: Uint8Array): void {
    this.#outbox.sayBlock(piece, offset, block)
  }

  /** A message of an extension that the other side has offered; nothing when it has not. */
  extended(name: string, content: Uint8Array): void {
    const id = this.peerExtendedMapping[name]
    if (id) this.#outbox.sayBytes(message.EXTENDED, Buffer.concat([Buffer.from([id]), content]))
  }

  /**
   * Takes what Node hands to a readable stream (`push`) before it goes through the stream's buffer and events, which
   * nothing here needs (8 % of a peer's CPU time). A Node that did not call `push` would still bring it as 'data'.
   */
  #shortenWay(socket: Socket): void {
    const push = socket.push.bind(socket)
    socket.push = (chunk: Buffer | null) => {
      if (chunk === null) return push(null)
      this.take(chunk)
      return true
    }
  }

  /** Bytes of the other side. They are used or copied when this returns. Whatever they are, only this connection can end of them. */
  take(chunk: Buffer): void {
    heard(this, chunk.length)
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
    this.#peerExtends = handshake.extended
    this.emit('handshake', handshake.infoHash, handshake.peerId)
    this.#introduce()
  }

  /** The extended handshake (BEP 10), once both sides have shaken hands. */
  #introduce(): void {
    if (this.#introduced || !this.#shaken || !this.#peerExtends) return
    this.#introduced = true
    const m = Object.fromEntries(Object.entries(this.extendedMapping).map(([id, name]) => [name, Number(id)]))
    const content = bencode.encode({ ...this.extendedHandshake, m } as Parameters<typeof bencode.encode>[0])
    this.#outbox.sayBytes(message.EXTENDED, Buffer.concat([Buffer.from([EXTENDED_HANDSHAKE]), content]))
  }

  #readMessage(bytes: Buffer): void {
    if (this.socket.destroyed) return
    if (this.#locked && bytes[0] !== message.EXTENDED) return this.destroy()
    if (!message.isWellFormed(bytes)) return this.destroy()
    switch (bytes[0]) {
      case message.CHOKE:
        return void this.emit('choke')
      case message.UNCHOKE:
        return void this.emit('unchoke')
      case message.HAVE:
        return void this.emit('have', bytes.readUInt32BE(1))
      case message.BITFIELD:
        return void this.emit('bitfield', bytes.subarray(1))
      case message.REQUEST:
        return void this.emit('request', bytes.readUInt32BE(1), bytes.readUInt32BE(5), bytes.readUInt32BE(9))
      case message.PIECE:
        return void this.emit('piece', bytes.readUInt32BE(1), bytes.readUInt32BE(5), bytes.subarray(9))
      case message.CANCEL:
        return void this.emit('cancel', bytes.readUInt32BE(1), bytes.readUInt32BE(5), bytes.readUInt32BE(9))
      case message.HAVE_ALL:
        return void this.emit('have-all')
      case message.HAVE_NONE:
        return void this.emit('have-none')
      case message.REJECT:
        return void this.emit('reject', bytes.readUInt32BE(1), bytes.readUInt32BE(5), bytes.readUInt32BE(9))
      case message.EXTENDED:
        return this.#readExtended(bytes[1] as number, Buffer.from(bytes.subarray(2)))
    }
  }

  #readExtended(id: number, content: Buffer): void {
    if (id !== EXTENDED_HANDSHAKE) return void this.emit('extended', this.extendedMapping[id] ?? id, content)
    const handshake = decodeDictionary(content)
    if (!handshake) return
    this.peerExtendedHandshake = handshake
    for (const [name, number] of Object.entries(handshake.m ?? {})) {
      if (typeof number === 'number') this.peerExtendedMapping[name] = number
    }
    if (this.isAgent && !this.socket.destroyed) meet(this)
    this.emit('extended', 'handshake', handshake)
  }
}

function decodeDictionary(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = decodeUntrusted(bytes)
    if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array)
      return undefined
    return value as Record<string, unknown>
  } catch {
    return undefined
  }
}
