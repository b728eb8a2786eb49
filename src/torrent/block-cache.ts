/** Bytes read from disk at once: large enough that every peer's next request is already here. */
const STRIDE = 1024 * 1024

/**
 * Recently used content in memory, bounded. Peers of a swarm ask for the same pieces at about the same time, so
 * the disk is read once for all of them; a piece that has just been verified is served without being read back.
 */
export class BlockCache {
  private readonly strides = new Map<number, Promise<Buffer>>()
  private readonly fresh = new Map<number, Buffer>()
  private freshBytes = 0
  private readonly read: (position: number, length: number) => Promise<Buffer>
  private readonly length: number
  private readonly limit: number

  /** `length` is that of the content, `limit` the bytes that each half of the cache may hold. */
  constructor(
    read: (position: number, length: number) => Promise<Buffer>,
    length: number,
    limit = 16 * 1024 * 1024,
  ) {
    this.read = read
    this.length = length
    this.limit = limit
  }

  /** Keeps a verified piece that starts at `position`. */
  keep(position: number, piece: Buffer): void {
    this.fresh.set(position, piece)
    this.freshBytes += piece.length
    for (const [at, oldest] of this.fresh) {
      if (this.freshBytes <= this.limit) break
      this.fresh.delete(at)
      this.freshBytes -= oldest.length
    }
  }

  /** The bytes, at once if they are in memory. `pieceStart` is where the piece they belong to starts. */
  get(pieceStart: number, offset: number, length: number): Buffer | Promise<Buffer> {
    const piece = this.fresh.get(pieceStart)
    if (piece) return piece.subarray(offset, offset + length)
    return this.getFromDisk(pieceStart + offset, length)
  }

  private async getFromDisk(position: number, length: number): Promise<Buffer> {
    const first = Math.floor(position / STRIDE)
    const last = Math.floor((position + length - 1) / STRIDE)
    if (first === last) return slice(await this.stride(first), position - first * STRIDE, length)
    const parts: Buffer[] = []
    for (let index = first; index <= last; index++) {
      const from = Math.max(position, index * STRIDE)
      const to = Math.min(position + length, (index + 1) * STRIDE)
      parts.push(slice(await this.stride(index), from - index * STRIDE, to - from))
    }
    return Buffer.concat(parts)
  }

  private stride(index: number): Promise<Buffer> {
    const known = this.strides.get(index)
    if (known) return known
    const start = index * STRIDE
    const reading = this.read(start, Math.min(STRIDE, this.length - start))
    this.strides.set(index, reading)
    reading.catch(() => this.strides.delete(index))
    const [oldest] = this.strides.keys()
    if (this.strides.size * STRIDE > this.limit && oldest !== undefined) this.strides.delete(oldest)
    return reading
  }
}

function slice(buffer: Buffer, from: number, length: number): Buffer {
  return buffer.subarray(from, from + length)
}
