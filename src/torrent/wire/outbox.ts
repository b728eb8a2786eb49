import type { Socket } from 'node:net'
import type { Coalescer } from './coalescing.ts'
import { PIECE, PIECE_HEADER_BYTES } from './messages.ts'
import { SendChunk, sendPool } from './send-pool.ts'

/** The longest message without a block or other bytes, with its length: a request. */
const LONGEST_FIXED_BYTES = 17

/** Shorter blocks are copied: a write of their own costs as much. */
const MIN_LENT_BYTES = 32 * 1024
/** Nor is longer memory kept from its next user for one block on its way. */
const MAX_LENDER_BYTES = 2 * 1024 * 1024

/** Memory that is not written again as long as it has users. */
export interface Lender {
  readonly bytes: Uint8Array
  retain(): void
  release(): void
}

/** A block that is written from where it is. */
class LentBlock {
  readonly #bytes: Uint8Array
  readonly #lender: Lender

  constructor(bytes: Uint8Array, lender: Lender) {
    this.#bytes = bytes
    this.#lender = lender
    lender.retain()
  }

  writeTo(socket: Socket): void {
    socket.write(this.#bytes, this.drop)
  }

  /** Node also calls this when the socket has failed. */
  readonly drop = (): void => this.#lender.release()
}

/**
 * The messages that one connection has to send. The coalescer decides when: all connections write at the end of an iteration of
 * the event loop, each in one write, and messages that are not urgent wait some milliseconds more. One packet costs both ends
 * more time than ten messages in it (NOTES.md).
 */
export class Outbox {
  /** Bytes that the socket has not got yet. */
  waiting = 0
  readonly #socket: Socket
  readonly #coalescer: Coalescer
  /** Everything that the next flush writes, in order. Only the last one has room. */
  readonly #chunks: (SendChunk | LentBlock)[] = []
  #isUrgent = false
  #isDelayed = false

  constructor(socket: Socket, coalescer: Coalescer) {
    this.#socket = socket
    this.#coalescer = coalescer
  }

  /** A message of up to three numbers. */
  send(id: number, numbers: readonly number[] = [], urgent = true): void {
    const length = 1 + 4 * numbers.length
    this.#addHeader(length + 4, length, id, numbers)
    this.#schedule(urgent)
  }

  /** A message with bytes behind its id. */
  sendBytes(id: number, content: Uint8Array): void {
    this.#addHeader(5, 1 + content.length, id, [])
    this.#add(content)
    this.#schedule(true)
  }

  /** On a fast link a long block leaves from where it is. On a slow one it is copied, so that no memory waits there for long. */
  sendBlock(piece: number, offset: number, block: Uint8Array, lender?: Lender): void {
    this.#addHeader(4 + PIECE_HEADER_BYTES, PIECE_HEADER_BYTES + block.length, PIECE, [piece, offset])
    if (lender && this.#mayLend(block, lender)) {
      this.#chunks.push(new LentBlock(block, lender))
      this.waiting += block.length
    } else this.#add(block)
    this.#schedule(true)
  }

  #mayLend(block: Uint8Array, { bytes }: Lender): boolean {
    return (
      block.length >= MIN_LENT_BYTES && bytes.length <= MAX_LENDER_BYTES && this.#socket.writableLength === 0
    )
  }

  /** Raw bytes that are not a message. */
  sendRaw(bytes: Uint8Array): void {
    this.#add(bytes)
    this.#schedule(true)
  }

  /** Called by the coalescer. Returns how many bytes it wrote. */
  flush(): number {
    const { waiting } = this
    if (!this.#isUrgent && !this.#isDelayed) return 0
    this.#isUrgent = false
    this.#isDelayed = false
    this.waiting = 0
    this.#write(this.#chunks.splice(0))
    return waiting
  }

  #write(chunks: (SendChunk | LentBlock)[]): void {
    if (this.#socket.destroyed) for (const chunk of chunks) chunk.drop()
    if (this.#socket.destroyed || chunks.length === 0) return
    if (chunks.length > 1) this.#socket.cork()
    for (const chunk of chunks) chunk.writeTo(this.#socket)
    if (chunks.length > 1) this.#socket.uncork()
  }

  /** `bytes`: length of this header. `length`: the length that it announces. */
  #addHeader(bytes: number, length: number, id: number, numbers: readonly number[]): void {
    const chunk = this.#chunkWith(LONGEST_FIXED_BYTES)
    let at = chunk.bytes.writeUInt32BE(length, chunk.length)
    at = chunk.bytes.writeUInt8(id, at)
    for (const number of numbers) at = chunk.bytes.writeUInt32BE(number, at)
    chunk.length = at
    this.waiting += bytes
  }

  /** Copies: the caller may use the memory of `bytes` again at once. */
  #add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) from += this.#chunkWith(1).add(bytes, from)
    this.waiting += bytes.length
  }

  #chunkWith(minRoom: number): SendChunk {
    const last = this.#chunks.at(-1)
    if (last instanceof SendChunk && last.room >= minRoom) return last
    const chunk = sendPool.take()
    this.#chunks.push(chunk)
    return chunk
  }

  #schedule(urgent: boolean): void {
    if (this.#isUrgent) return
    if (urgent) {
      this.#isUrgent = true
      this.#coalescer.flushSoon(this)
    } else if (!this.#isDelayed) {
      this.#isDelayed = true
      this.#coalescer.flushLater(this)
    }
  }
}
