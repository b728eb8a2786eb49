import type { PieceBuffer } from './piece-buffer.ts'

/** A seeder reads so many bytes from disk at once, so that every peer's next request is already in memory. */
export const SEEDER_STRIDE_BYTES = 1024 * 1024

/**
 * Recently used content in memory, limited. The peers of a swarm ask for the same pieces at about the same time, so the disk is
 * read once for all of them. A piece that has just been verified is served without being read back.
 */
export class BlockCache {
  readonly #strides = new Map<number, Promise<Buffer>>()
  /** Verified pieces that are not on disk yet. */
  readonly #unwritten = new Map<number, PieceBuffer>()
  /** Verified pieces that are on disk too, the oldest first. */
  readonly #fresh = new Map<number, PieceBuffer>()
  #freshBytes = 0
  readonly #read: (position: number, length: number) => Promise<Buffer>
  readonly #length: number
  readonly #stride: number
  readonly #limit: number

  /** In bytes: the whole content, one read from disk, and the limit of each half of the cache. */
  constructor(
    read: (position: number, length: number) => Promise<Buffer>,
    { length, stride, limit }: { length: number; stride: number; limit: number },
  ) {
    this.#read = read
    this.#length = length
    this.#stride = stride
    this.#limit = limit
  }

  /** Keeps a verified piece that starts at `position`, at least until it is written. */
  keep(position: number, piece: PieceBuffer): void {
    piece.retain()
    this.#unwritten.set(position, piece)
  }

  /** The piece can be read from disk from now on. */
  written(position: number): void {
    const piece = this.#unwritten.get(position)
    if (!piece) return
    this.#unwritten.delete(position)
    this.#fresh.set(position, piece)
    this.#freshBytes += piece.bytes.length
    for (const [at, oldest] of this.#fresh) {
      if (this.#freshBytes <= this.#limit) break
      this.#fresh.delete(at)
      this.#freshBytes -= oldest.bytes.length
      oldest.release()
    }
  }

  /**
   * Returns at once if the bytes are in memory; they are then valid only until the caller returns. `pieceStart` is where their
   * piece starts.
   */
  get(pieceStart: number, offset: number, length: number): Buffer | Promise<Buffer> {
    const piece = this.#unwritten.get(pieceStart) ?? this.#fresh.get(pieceStart)
    if (piece) return piece.bytes.subarray(offset, offset + length)
    return this.#getFromDisk(pieceStart + offset, length)
  }

  async #getFromDisk(position: number, length: number): Promise<Buffer> {
    const first = Math.floor(position / this.#stride)
    const last = Math.floor((position + length - 1) / this.#stride)
    if (first === last) return slice(await this.#readStride(first), position - first * this.#stride, length)
    const parts: Buffer[] = []
    for (let index = first; index <= last; index++) {
      const from = Math.max(position, index * this.#stride)
      const to = Math.min(position + length, (index + 1) * this.#stride)
      parts.push(slice(await this.#readStride(index), from - index * this.#stride, to - from))
    }
    return Buffer.concat(parts)
  }

  #readStride(index: number): Promise<Buffer> {
    const known = this.#strides.get(index)
    if (known) return known
    const start = index * this.#stride
    const reading = this.#read(start, Math.min(this.#stride, this.#length - start))
    this.#strides.set(index, reading)
    reading.catch(() => this.#strides.delete(index))
    const [oldest] = this.#strides.keys()
    if (this.#strides.size * this.#stride > this.#limit && oldest !== undefined) this.#strides.delete(oldest)
    return reading
  }
}

function slice(buffer: Buffer, from: number, length: number): Buffer {
  return buffer.subarray(from, from + length)
}
