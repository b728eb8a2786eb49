import { createHmac, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import bencode from 'bencode'

/** What a hostile peer knows and claims. Written apart from the program: it shares no code with it but bencode. */
export interface RawWireOptions {
  infoHash: string
  peerId?: Buffer
  /** Proves to know this secret; without one it cannot. */
  secret?: string
  /** Listening port that it names. */
  port?: number
  /** It says that this is one more connection to a neighbour. */
  subflow?: boolean
}

type Message = { id: number; body: Buffer }

const number = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** BitTorrent on a bare socket, message by message, with nothing that keeps to the rules by itself. */
export class RawWire {
  readonly socket: Socket
  readonly peerId: Buffer
  readonly nonce = randomBytes(32)
  /** All messages so far; id -1 is a keep-alive. */
  readonly messages: Message[] = []
  readonly closed: Promise<void>
  theirPeerId: Buffer | undefined
  theirNonce: Buffer | undefined
  private buffer = Buffer.alloc(0)
  private readonly waiting: {
    id: number
    resolve: (body: Buffer) => void
    reject: (error: Error) => void
  }[] = []
  private readonly options: RawWireOptions
  private readonly outgoing: boolean
  onMessage: (message: Message) => void = () => {}

  constructor(socket: Socket, options: RawWireOptions, outgoing: boolean) {
    this.socket = socket
    this.options = options
    this.outgoing = outgoing
    this.peerId = options.peerId ?? Buffer.concat([Buffer.from('-HO0001-'), randomBytes(12)])
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    void this.closed.then(() => {
      for (const { reject } of this.waiting) reject(new Error('the connection was closed'))
    })
  }

  static async dial(port: number, options: RawWireOptions, host = '127.0.0.1'): Promise<RawWire> {
    const socket = connect(port, host)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawWire(socket, options, true)
  }

  sendHandshake(): void {
    const reserved = Buffer.alloc(8)
    if (this.options.subflow) reserved[3] = 0x20
    reserved[5] = 0x10
    reserved[7] = 0x04
    const protocol = Buffer.from('\x13BitTorrent protocol')
    this.socket.write(
      Buffer.concat([protocol, reserved, Buffer.from(this.options.infoHash, 'hex'), this.peerId]),
    )
  }

  sendExtendedHandshake(extra: Record<string, unknown> = {}): void {
    const content = {
      m: { murder: 1, murder_proof: 20, murder_subflows: 21 },
      murder_nonce: this.nonce,
      ...(this.options.port === undefined ? {} : { p: this.options.port }),
      ...extra,
    }
    this.sendExtended(0, bencode.encode(content as never))
  }

  sendExtended(id: number, body: Uint8Array): void {
    this.send(20, Buffer.concat([Buffer.from([id]), body]))
  }

  send(id: number, body: Uint8Array = Buffer.alloc(0)): void {
    this.socket.write(Buffer.concat([number(body.length + 1), Buffer.from([id]), body]))
  }

  sendBlock(piece: number, offset: number, block: Uint8Array): void {
    this.send(7, Buffer.concat([number(piece), number(offset), block]))
  }

  request(piece: number, offset: number, length: number): void {
    this.send(6, Buffer.concat([number(piece), number(offset), number(length)]))
  }

  /** Handshakes of both sides and, with a secret, the proof. */
  async shakeHands(): Promise<void> {
    if (this.outgoing) this.sendHandshake()
    if (this.outgoing) this.sendExtendedHandshake()
    await this.next(20)
    if (this.options.secret !== undefined) this.sendExtended(20, this.proof())
  }

  /** The proof, from the protocol's description. */
  proof(role: 'opener' | 'listener' = this.outgoing ? 'opener' : 'listener'): Buffer {
    const key = createHmac('sha256', this.options.secret ?? '')
      .update('murder peers')
      .digest()
    const we = { peerId: this.peerId, nonce: this.nonce }
    const they = { peerId: this.theirPeerId as Buffer, nonce: this.theirNonce as Buffer }
    const [opener, listener] = this.outgoing ? [we, they] : [they, we]
    const mac = createHmac('sha256', key).update(`murder proof 1 ${role}\n`)
    for (const part of [Buffer.from(this.options.infoHash, 'hex'), opener.peerId, listener.peerId])
      mac.update(part)
    return mac.update(opener.nonce).update(listener.nonce).digest()
  }

  /** The next message of that kind, also one that has come already and was not asked for yet. */
  next(id: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ id, resolve, reject })
      this.deliver()
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private readonly undelivered: Message[] = []

  private deliver(): void {
    for (const waiter of [...this.waiting]) {
      const at = this.undelivered.findIndex(({ id }) => id === waiter.id)
      if (at < 0) continue
      const [message] = this.undelivered.splice(at, 1)
      this.waiting.splice(this.waiting.indexOf(waiter), 1)
      waiter.resolve((message as Message).body)
    }
  }

  private take(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk])
    if (!this.theirPeerId) {
      if (this.buffer.length < 68) return
      this.theirPeerId = Buffer.from(this.buffer.subarray(48, 68))
      this.buffer = this.buffer.subarray(68)
      if (!this.outgoing) {
        this.sendHandshake()
        this.sendExtendedHandshake()
      }
    }
    while (this.buffer.length >= 4) {
      const length = this.buffer.readUInt32BE(0)
      if (this.buffer.length < 4 + length) return
      const bytes = Buffer.from(this.buffer.subarray(4, 4 + length))
      this.buffer = this.buffer.subarray(4 + length)
      this.read(bytes)
    }
  }

  private read(bytes: Buffer): void {
    const message = { id: bytes.length === 0 ? -1 : (bytes[0] as number), body: bytes.subarray(1) }
    this.messages.push(message)
    if (message.id === 20 && message.body[0] === 0) {
      const { murder_nonce } = bencode.decode(message.body.subarray(1)) as { murder_nonce?: Uint8Array }
      if (murder_nonce) this.theirNonce = Buffer.from(murder_nonce)
    }
    this.undelivered.push(message)
    this.deliver()
    this.onMessage(message)
  }
}
