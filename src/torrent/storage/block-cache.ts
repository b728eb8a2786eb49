import type { PieceBuffer } from './piece-buffer.ts'

/** Bytes that a seeder reads from disk at once: large enough that every peer's next request is already here. */
export const SEEDERS_STRIDE = 1024 * 1024

/**
 * Recently used content in memory, bounded. Peers of a swarm ask for the same pieces at about the same time, so
 * the disk is read once for all of them; a piece that has just been verified is served without being read back.
 */
export class BlockCache {
  readonly #strides = new Map<number, Promise<Buffer>>()
  /** Verified, and not on disk yet: here only. */
  readonly #unwritten = new Map<number, PieceBuffer>()
  readonly #fresh = new Map<number, PieceBuffer>()
  #freshBytes = 0
  readonly #read: (position: number, length: number) => Promise<Buffer>
  readonly #length: number
  readonly #stride: number
  readonly #limit: number

  /** `length` is that of the content, `stride` what is read from disk at once, `limit` the bytes that each half of the cache may hold. */
  constructor(
    read: (position: number, length: number) => Promise<Buffer>,
    { length, stride, limit }: { length: number; stride: number; limit: number },
  ) {
    this.#read = read
    this.#length = length
    this.#stride = stride
    this.#limit = limit
  }

  /** Keeps a verified piece that starts at `position`, in any case until it is written. */
  keep(position: number, piece: PieceBuffer): void {
    piece.hold()
    this.#unwritten.set(position, piece)
  }

  /** What was kept can be read from disk from now on. */
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
      oldest.letGo()
    }
  }

  /** The bytes, at once if they are in memory, and then good only until the caller returns. `pieceStart` is where the piece they belong to starts. */
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
