import type { Socket } from 'node:net'
import Wire from 'bittorrent-protocol'
import { Framing } from './framing.ts'

/** Longest block that agents send each other; BEP 3 clients ask for 16 KiB. */
export const LARGEST_BLOCK = 128 * 1024
export const STRANGERS_BLOCK = 16 * 1024
/** Requests that one connection may have waiting here. Asking for more ends the connection. */
const MOST_REQUESTS = 2048
const HANDSHAKE_LENGTH = 68
/** A message of an extension (BEP 10): handshakes take some hundred bytes. */
const LONGEST_EXTENDED = 16 * 1024
/** Before both ends have proved who they are: an extended handshake or a proof. */
const LONGEST_LOCKED = 1024
const EXTENDED = 20
/** Name of the extension (BEP 10) by which agents know each other. It has no messages. */
export const AGENT_EXTENSION = 'murder'

/**
 * A connection that speaks BitTorrent: bittorrent-protocol's messages on a TCP socket of our own.
 *
 * The module's stream machinery is left out, because it joins and copies every block three times and has no limit on a
 * message's length: bytes come in through `Framing` and go out straight to the socket, corked so that all
 * messages of one turn of the event loop leave together. This is the only file that uses the module's private members
 * (`_push`, `_debug`, `_parse`, `_onHandshakeBuffer`, `_onMessage`, `_message`); a test fails when one is gone.
 */
export class AgentWire extends Wire {
  readonly socket: Socket
  private readonly framing: Framing
  private readonly longest: number
  private corked = false
  private locked = false

  constructor(socket: Socket, options: { pieceCount: number; direction: 'incoming' | 'outgoing' }) {
    super(options.direction === 'incoming' ? 'tcpIncoming' : 'tcpOutgoing')
    this.socket = socket
    this.longest = Math.max(LARGEST_BLOCK + 9, Math.ceil(options.pieceCount / 8) + 1, LONGEST_EXTENDED)
    this.framing = new Framing({
      handshakeLength: HANDSHAKE_LENGTH,
      longest: this.longest,
      onHandshake: (bytes) => this.readHandshake(bytes),
      onMessage: (bytes) => this.readMessage(bytes),
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    this.shortenWay(socket)
    socket.on('error', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  /** Whether the other side is an agent too, by its extended handshake. */
  get isAgent(): boolean {
    return AGENT_EXTENSION in this.peerExtendedMapping
  }

  get isLocked(): boolean {
    return this.locked
  }

  /** From now on only short extension messages are taken; anything else ends the connection. */
  lock(): void {
    this.locked = true
    this.framing.longest = LONGEST_LOCKED
  }

  unlock(): void {
    this.locked = false
    this.framing.longest = this.longest
  }

  /** Sends a block that was asked for. */
  sendBlock(piece: number, offset: number, block: Uint8Array): void {
    this._message(7, [piece, offset], block)
  }

  /** Bytes handed to the socket that the system has not taken yet. */
  get queued(): number {
    return this.socket.writableLength
  }

  override destroy(): this {
    if (!this.socket.destroyed) this.socket.destroy()
    return super.destroy()
  }

  /**
   * Takes what Node hands to a readable stream (`push`) before it goes through the stream's buffer and events, which
   * nothing here needs (8 % of a peer's CPU time). A Node that did not call `push` would still bring it as 'data'.
   */
  private shortenWay(socket: Socket): void {
    const push = socket.push.bind(socket)
    socket.push = (chunk: Buffer | null) => {
      if (chunk === null) return push(null)
      this.take(chunk)
      return true
    }
  }

  /** Bytes of the other side. They are used or copied when this returns. */
  take(chunk: Buffer): void {
    try {
      this.framing.push(chunk)
    } catch {
      this.destroy()
    }
  }

  private readHandshake(bytes: Buffer): void {
    if (bytes[0] !== 19) this.destroy()
    else this._onHandshakeBuffer(bytes.subarray(1))
  }

  private readMessage(bytes: Buffer): void {
    if (this.socket.destroyed || UNUSED.has(bytes[0] as number)) return
    if (this.locked && bytes[0] !== EXTENDED) this.destroy()
    else if (!isWellFormed(bytes) || this.peerRequests.length > MOST_REQUESTS) this.destroy()
    else this._onMessage(KEPT.has(bytes[0] as number) ? Buffer.from(bytes) : bytes)
  }

  override _push(data: Uint8Array): boolean {
    if (this.socket.destroyed) return false
    if (!this.corked) {
      this.corked = true
      this.socket.cork()
      setImmediate(() => {
        this.corked = false
        this.socket.uncork()
      })
    }
    return this.socket.write(data)
  }

  override _debug(): void {}
}

/** Numbers of the messages whose bytes the module keeps: bitfield (BEP 3), extended (BEP 10). */
const KEPT = new Set([5, EXTENDED])

/** Messages that nothing here heeds, and that a hostile peer could fill lists with: port (BEP 5), suggest, allowed fast (BEP 6). */
const UNUSED = new Set([9, 13, 17])

/** Length of each message that has a fixed one (BEP 3, BEP 6), by its number. */
const LENGTHS: Record<number, number> = {
  0: 1,
  1: 1,
  2: 1,
  3: 1,
  4: 5,
  6: 13,
  8: 13,
  14: 1,
  15: 1,
  16: 13,
}

function isWellFormed(message: Buffer): boolean {
  const id = message[0] as number
  const length = LENGTHS[id]
  if (length !== undefined) return message.length === length
  if (id === 7) return message.length > 9
  if (id === EXTENDED) return message.length >= 2 && message.length <= LONGEST_EXTENDED
  return true
}
