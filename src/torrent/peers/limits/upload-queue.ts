import type { Block } from '../../scheduler/partial-piece.ts'
import type { Content } from '../../storage/memory/counted-memory.ts'
import { LARGEST_BLOCK_BYTES, type PeerWire } from '../../wire/peer-wire.ts'
import type { RateLimit } from './rate-limit.ts'

/** At most so many bytes are queued in a socket. */
const HIGH_WATER_BYTES = 512 * 1024
/** Requests of one connection that may wait here. More close the connection. */
const MAX_REQUESTS = 2048

/** The content, and the limits that all connections share. */
export interface BlockSource {
  /** The block, at once if it is in memory; undefined when it is not here or not a valid range. */
  content(block: Block): Content | Promise<Content> | undefined
  /** Bytes that the shared limits allow to this neighbour now. `id` is its connection's. */
  budget(id: number): number
  /** So many bytes will be sent, now or when they have been read. */
  spend(id: number, bytes: number): void
  /** `id` is the connection's. */
  sent(id: number, block: Block): void
}

/** The blocks that one neighbour waits for, in the order in which it asked for them. */
export class UploadQueue {
  #id: number
  readonly #wire: PeerWire
  readonly #source: BlockSource
  #limit: RateLimit
  readonly #nowS: () => number
  readonly #requests: Block[] = []
  /** A block is being read from disk; those behind it wait. */
  #isReading = false
  #isClosed = false

  /** `id` is the connection's, `limit` that of this neighbour alone. */
  constructor(
    id: number,
    wire: PeerWire,
    { source, limit, nowS }: { source: BlockSource; limit: RateLimit; nowS: () => number },
  ) {
    this.#id = id
    this.#wire = wire
    this.#source = source
    this.#limit = limit
    this.#nowS = nowS
    wire.on('request', (piece, offset, length) => this.#add({ piece, offset, length }))
    wire.on('cancel', (piece, offset, length) => this.#cancel({ piece, offset, length }))
    wire.socket.on('drain', () => this.pump())
  }

  close(): void {
    this.#isClosed = true
    this.#requests.length = 0
  }

  /** A further connection to a neighbour shares the limit of the first one. */
  joinTo(other: UploadQueue): void {
    this.#id = other.#id
    this.#limit = other.#limit
  }

  get isIdle(): boolean {
    return this.#requests.length === 0 && !this.#isReading && this.#wire.queuedBytes === 0
  }

  /** Sends as much as the socket and the upload limits allow. */
  pump(): void {
    while (this.#maySend()) {
      const block = this.#requests.shift() as Block
      this.#limit.take(block.length)
      this.#source.spend(this.#id, block.length)
      const content = this.#source.content(block)
      if (content === undefined) this.#wire.reject(block.piece, block.offset, block.length)
      else if (content instanceof Promise) return void this.#sendWhenRead(block, content)
      else this.#send(block, content)
    }
  }

  #maySend(): boolean {
    if (this.#requests.length === 0 || this.#isReading || this.#isClosed) return false
    if (this.#wire.queuedBytes >= HIGH_WATER_BYTES) return false
    return this.#source.budget(this.#id) > 0 && this.#limit.available(this.#nowS()) > 0
  }

  async #sendWhenRead(block: Block, reading: Promise<Content>): Promise<void> {
    this.#isReading = true
    try {
      const content = await reading
      if (this.#isClosed) content.memory?.release()
      else this.#send(block, content)
    } catch {
      // The participant has reported the error. This neighbour must ask elsewhere.
      this.#wire.destroy()
    } finally {
      this.#isReading = false
    }
    this.pump()
  }

  #send(block: Block, { bytes, memory }: Content): void {
    this.#wire.sendBlock(block.piece, block.offset, bytes, memory)
    memory?.release()
    this.#source.sent(this.#id, block)
  }

  #add(block: Block): void {
    if (block.length < 1 || block.length > LARGEST_BLOCK_BYTES) return this.#wire.destroy()
    if (this.#requests.length >= MAX_REQUESTS) return this.#wire.destroy()
    this.#requests.push(block)
    this.pump()
  }

  /**
   * By BEP 6 each request is answered, even a cancelled one, and other clients count it as pending until then. An agent forgets a
   * cancelled request, and would take its answer for that of a later one.
   */
  #cancel({ piece, offset, length }: Block): void {
    const at = this.#requests.findIndex(
      (block) => block.piece === piece && block.offset === offset && block.length === length,
    )
    if (at < 0) return
    this.#requests.splice(at, 1)
    if (!this.#wire.isAgent) this.#wire.reject(piece, offset, length)
  }
}
