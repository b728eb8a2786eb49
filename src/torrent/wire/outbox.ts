import type { Socket } from 'node:net'
import { flushAfterTurn } from './coalescing.ts'
import { PIECE, PIECE_HEADER } from './messages.ts'
import { type SendPool, takeMemory } from './send-pool.ts'

const LONGEST_SMALL = 17
/** Milliseconds that what is not urgent waits for something else to leave with: about two rests (`turn.ts`). */
const PATIENCE = 40

/**
 * What one connection has to say. Everything of one turn of the event loop leaves in one write, on all connections
 * together; and what is not urgent waits some milliseconds more, because each packet costs both ends more time than
 * ten messages in it do (NOTES.md).
 */
export class Outbox {
  /** Bytes that have not been given to the socket yet. */
  waiting = 0
  readonly #socket: Socket
  /** What the socket gets at the next flush, in order; the last one has room. */
  readonly #parts: SendPool[] = []
  #urgent = false
  #late = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** A message of up to three numbers. */
  say(id: number, numbers: readonly number[] = [], urgent = true): void {
    const length = 1 + 4 * numbers.length
    this.#header(length + 4, length, id, numbers)
    this.#schedule(urgent)
  }

  /** A message with bytes behind its number. */
  sayBytes(id: number, content: Uint8Array): void {
    this.#header(5, 1 + content.length, id, [])
    this.#add(content)
    this.#schedule(true)
  }

  /** A block that was asked for. */
  sayBlock(piece: number, offset: number, block: Uint8Array): void {
    this.#header(4 + PIECE_HEADER, PIECE_HEADER + block.length, PIECE, [piece, offset])
    this.#add(block)
    this.#schedule(true)
  }

  /** Bytes that are no message. */
  sayRaw(bytes: Uint8Array): void {
    this.#add(bytes)
    this.#schedule(true)
  }

  /** Returns how many bytes that were. */
  flush(): number {
    const { waiting } = this
    if (!this.#urgent && !this.#late) return 0
    this.#urgent = false
    this.#late = false
    this.waiting = 0
    this.#write(this.#parts.splice(0))
    return waiting
  }

  #write(parts: SendPool[]): void {
    if (this.#socket.destroyed || parts.length === 0) return
    if (parts.length > 1) this.#socket.cork()
    for (const part of parts) part.writeTo(this.#socket)
    if (parts.length > 1) this.#socket.uncork()
  }

  #header(bytes: number, length: number, id: number, numbers: readonly number[]): void {
    const memory = this.#room(LONGEST_SMALL)
    let at = memory.bytes.writeUInt32BE(length, memory.length)
    at = memory.bytes.writeUInt8(id, at)
    for (const number of numbers) at = memory.bytes.writeUInt32BE(number, at)
    memory.length = at
    this.waiting += bytes
  }

  /** Copies: whoever has the bytes may use their memory again at once. */
  #add(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) from += this.#room(1).add(bytes, from)
    this.waiting += bytes.length
  }

  #room(least: number): SendPool {
    let memory = this.#parts.at(-1)
    if (!memory || memory.room < least) {
      memory = takeMemory()
      this.#parts.push(memory)
    }
    return memory
  }

  #schedule(urgent: boolean): void {
    if (this.#urgent) return
    if (urgent) {
      this.#urgent = true
      flushAfterTurn(this)
    } else if (!this.#late) {
      this.#late = true
      if (lates.push(this) === 1) setTimeout(flushLates, PATIENCE)
    }
  }
}

const lates: Outbox[] = []

function flushLates(): void {
  for (const outbox of lates.splice(0)) outbox.flush()
}
