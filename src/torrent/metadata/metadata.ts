import { createHash } from 'node:crypto'
import { METADATA_PIECE_BYTES } from './messages.ts'

/** The size and hash that a fetched info dictionary must have. */
export interface WantedMetadata {
  /** Bytes. */
  size: number
  /** Hex. */
  infoHash: string
  sha256: string
}

/** The info dictionary of a torrent in pieces (BEP 9): here from the start, or coming from others. */
export class Metadata {
  /** Bytes. */
  readonly size: number
  readonly pieceCount: number
  readonly #wanted: WantedMetadata | undefined
  readonly #pieces = new Map<number, Uint8Array>()
  /** The whole info dictionary, verified. */
  #info: Uint8Array | undefined

  private constructor(size: number, wanted?: WantedMetadata) {
    this.size = size
    this.pieceCount = Math.ceil(size / METADATA_PIECE_BYTES)
    this.#wanted = wanted
  }

  static of(info: Uint8Array): Metadata {
    const metadata = new Metadata(info.length)
    metadata.#info = info
    return metadata
  }

  static missing(wanted: WantedMetadata): Metadata {
    return new Metadata(wanted.size, wanted)
  }

  get info(): Uint8Array | undefined {
    return this.#info
  }

  /** Not verified until the whole is. */
  piece(index: number): Uint8Array | undefined {
    if (!this.#info) return this.#pieces.get(index)
    const from = index * METADATA_PIECE_BYTES
    return from < this.size ? this.#info.subarray(from, from + METADATA_PIECE_BYTES) : undefined
  }

  /** The pieces that are here, as a bitfield; undefined when all are. */
  get bitfield(): Uint8Array | undefined {
    if (this.#info) return undefined
    const bits = new Uint8Array(Math.ceil(this.pieceCount / 8))
    for (const index of this.#pieces.keys())
      bits[index >> 3] = (bits[index >> 3] as number) | (0x80 >> (index & 7))
    return bits
  }

  /** Returns whether the piece has the length that it must have. */
  put(index: number, bytes: Uint8Array): boolean {
    const length = Math.min(METADATA_PIECE_BYTES, this.size - index * METADATA_PIECE_BYTES)
    if (this.#info || length <= 0 || bytes.length !== length) return false
    this.#pieces.set(index, bytes)
    return true
  }

  /** Checks the complete metadata. If it is wrong, all pieces are dropped. */
  verify(): boolean {
    if (this.#info) return true
    const parts = Array.from({ length: this.pieceCount }, (_, index) => this.#pieces.get(index) as Uint8Array)
    const info = Buffer.concat(parts)
    const isRight = this.#wanted !== undefined && isWanted(info, this.#wanted)
    if (isRight) this.#info = info
    this.#pieces.clear()
    return isRight
  }
}

/** The infohash alone is not enough, because SHA-1 can be forged. */
export function isWanted(info: Uint8Array, { size, infoHash, sha256 }: WantedMetadata): boolean {
  return info.length === size && digest('sha1', info) === infoHash && digest('sha256', info) === sha256
}

const digest = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('hex')
