import type { Socket } from 'node:net'
import type { Coalescer } from './coalescing.ts'
import { PIECE, PIECE_HEADER_BYTES } from './messages.ts'
import { type SendChunk, sendPool } from './send-pool.ts'

/** The longest message without a block or other bytes, with its length: a request. */
const LONGEST_FIXED_BYTES = 17

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
  readonly #chunks: SendChunk[] = []
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

  sendBlock(piece: number, offset: number, block: Uint8Array): void {
    this.#addHeader(4 + PIECE_HEADER_BYTES, PIECE_HEADER_BYTES + block.length, PIECE, [piece, offset])
    this.#add(block)
    this.#schedule(true)
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

  #write(chunks: SendChunk[]): void {
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
    let chunk = this.#chunks.at(-1)
    if (!chunk || chunk.room < minRoom) {
      chunk = sendPool.take()
      this.#chunks.push(chunk)
    }
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
