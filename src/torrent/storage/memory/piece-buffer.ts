import * as crypto from 'node:crypto'
import { UNIT_BYTES } from '../../scheduler/request-window.ts'
import { CountedMemory } from './counted-memory.ts'
import type { PiecePool } from './piece-pool.ts'

/** Pieces up to this length are hashed in one go: it takes 1 ms, and costs less than block by block. */
const MAX_HASH_AT_ONCE_BYTES = 1024 * 1024

/** The bytes of a piece, first partial, then complete. */
export class PieceBuffer<Sender = unknown> extends CountedMemory {
  /** The last sender of each unit of `UNIT_BYTES`. */
  readonly senders: (Sender | undefined)[] = []
  /** Resolves when its bytes on the disk have been read; undefined where there are none. */
  loading: Promise<void> | undefined
  readonly #runningHash: RunningHash | undefined

  constructor(length: number, pool: PiecePool) {
    super(length, pool)
    if (length > MAX_HASH_AT_ONCE_BYTES) this.#runningHash = new RunningHash(this.bytes)
  }

  write(offset: number, block: Uint8Array, sender: Sender | undefined): void {
    this.bytes.set(block, offset)
    for (let at = offset; at < offset + block.length; at += UNIT_BYTES) this.senders[at / UNIT_BYTES] = sender
    this.#runningHash?.came(offset, block.length)
  }

  /** SHA-1 of each unit. */
  unitDigests(): Buffer[] {
    const digests: Buffer[] = []
    for (let at = 0; at < this.bytes.length; at += UNIT_BYTES)
      digests.push(crypto.hash('sha1', this.bytes.subarray(at, at + UNIT_BYTES), 'buffer'))
    return digests
  }

  /** SHA-1 of the piece. Call once, when every block is here. */
  digest(): Buffer {
    if (this.#runningHash) return this.#runningHash.digest()
    return crypto.hash('sha1', this.bytes, 'buffer')
  }
}

/** Hashes blocks as they come, from the start without a gap, so that a long piece does not hold up the network. */
class RunningHash {
  readonly #bytes: Buffer
  readonly #here: Uint8Array
  readonly #hash = crypto.createHash('sha1')
  #hashed = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#here = new Uint8Array(Math.ceil(bytes.length / UNIT_BYTES))
  }

  came(offset: number, length: number): void {
    this.#here.fill(1, offset / UNIT_BYTES, Math.ceil((offset + length) / UNIT_BYTES))
    let end = this.#hashed
    while (end < this.#bytes.length && this.#here[end / UNIT_BYTES] === 1)
      end = Math.min(this.#bytes.length, end + UNIT_BYTES)
    if (end > this.#hashed) this.#hash.update(this.#bytes.subarray(this.#hashed, end))
    this.#hashed = end
  }

  digest(): Buffer {
    return this.#hash.digest()
  }
}
