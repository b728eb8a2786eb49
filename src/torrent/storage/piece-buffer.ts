import * as crypto from 'node:crypto'
import { UNIT } from '../scheduler/request-window.ts'
import type { PiecePool } from './piece-pool.ts'

/** Pieces up to this length are hashed in one go: 1 ms, and less work than block by block. */
const LONGEST_AT_ONCE = 1024 * 1024

/** A piece: under way, then complete, as long as anybody holds it. Whoever makes it holds it. */
export class PieceBuffer {
  readonly bytes: Buffer
  /** Connections that sent any of it. */
  readonly senders = new Set<number>()
  readonly #running: RunningHash | undefined
  readonly #memory: PiecePool
  #holders = 1

  constructor(length: number, memory: PiecePool) {
    this.#memory = memory
    this.bytes = memory.take(length)
    if (length > LONGEST_AT_ONCE) this.#running = new RunningHash(this.bytes)
  }

  write(offset: number, block: Uint8Array, sender: number): void {
    this.bytes.set(block, offset)
    this.senders.add(sender)
    this.#running?.came(offset, block.length)
  }

  hold(): void {
    this.#holders++
  }

  /** After the last holder's call `bytes` are another piece's. */
  letGo(): void {
    if (--this.#holders === 0) this.#memory.giveBack(this.bytes)
  }

  /** SHA-1 of the piece. Call once, when every block is here. */
  digest(): Buffer {
    if (this.#running) return this.#running.digest()
    return crypto.hash('sha1', this.bytes, 'buffer')
  }
}

/** Hashes what has come without a gap, a block at a time, so that no long piece ever holds up the network. */
class RunningHash {
  readonly #bytes: Buffer
  readonly #here: Uint8Array
  readonly #hash = crypto.createHash('sha1')
  #hashed = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#here = new Uint8Array(Math.ceil(bytes.length / UNIT))
  }

  came(offset: number, length: number): void {
    this.#here.fill(1, offset / UNIT, Math.ceil((offset + length) / UNIT))
    let end = this.#hashed
    while (end < this.#bytes.length && this.#here[end / UNIT] === 1)
      end = Math.min(this.#bytes.length, end + UNIT)
    if (end > this.#hashed) this.#hash.update(this.#bytes.subarray(this.#hashed, end))
    this.#hashed = end
  }

  digest(): Buffer {
    return this.#hash.digest()
  }
}
