import { type Content, CountedMemory } from './counted-memory.ts'
import { PiecePool } from './piece-pool.ts'

/** A seeder reads so many bytes from disk at once, so that every peer's next request is already in memory. */
export const SEEDER_STRIDE_BYTES = 1024 * 1024

/** A run of the content that is read from disk at once. */
interface Stride {
  reading: Promise<CountedMemory>
  /** Set when it has been read. */
  memory: CountedMemory | undefined
}

/**
 * Recently used content in memory, limited. The peers of a swarm ask for the same pieces at about the same time, so the disk is
 * read once for all of them. A piece that has just been verified is served without being read back.
 */
export class BlockCache {
  readonly #strides = new Map<number, Stride>()
  /** Verified pieces that are not on disk yet. */
  readonly #unwritten = new Map<number, CountedMemory>()
  /** Verified pieces that are on disk too, the oldest first. */
  readonly #fresh = new Map<number, CountedMemory>()
  #freshBytes = 0
  readonly #read: (position: number, into: Buffer) => Promise<Buffer>
  readonly #length: number
  readonly #stride: number
  readonly #limit: number
  /** New memory for each stride would cost page faults, and the garbage collector a fifth of a seeder's time (wire/NOTES.md). */
  readonly #pool: PiecePool

  /** In bytes: the whole content, one read from disk, and the limit of each half of the cache. */
  constructor(
    read: (position: number, into: Buffer) => Promise<Buffer>,
    { length, stride, limit }: { length: number; stride: number; limit: number },
  ) {
    this.#read = read
    this.#length = length
    this.#stride = stride
    this.#limit = limit
    this.#pool = new PiecePool(stride)
  }

  /** Keeps a verified piece that starts at `position`, at least until it is written. */
  keep(position: number, piece: CountedMemory): void {
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

  /** Returns at once if the bytes are in memory. `pieceStart` is where their piece starts. */
  get(pieceStart: number, offset: number, length: number): Content | Promise<Content> {
    const piece = this.#unwritten.get(pieceStart) ?? this.#fresh.get(pieceStart)
    if (piece) return part(piece, offset, length)
    const position = pieceStart + offset
    const first = Math.floor(position / this.#stride)
    const last = Math.floor((position + length - 1) / this.#stride)
    if (first !== last) return this.#join(position, length, first, last)
    const from = position - first * this.#stride
    const stride = this.#strideAt(first)
    if (stride.memory) return part(stride.memory, from, length)
    return stride.reading.then((memory) => part(memory, from, length))
  }

  async #join(position: number, length: number, first: number, last: number): Promise<Content> {
    const parts: Promise<Content>[] = []
    for (let index = first; index <= last; index++) {
      const from = Math.max(position, index * this.#stride)
      const to = Math.min(position + length, (index + 1) * this.#stride)
      parts.push(
        this.#strideAt(index).reading.then((memory) => part(memory, from - index * this.#stride, to - from)),
      )
    }
    const contents = await Promise.all(parts)
    const bytes = Buffer.concat(contents.map((content) => content.bytes))
    for (const { memory } of contents) memory?.release()
    return { bytes, memory: undefined }
  }

  #strideAt(index: number): Stride {
    const known = this.#strides.get(index)
    if (known) return known
    const start = index * this.#stride
    const memory = new CountedMemory(Math.min(this.#stride, this.#length - start), this.#pool)
    const reading = this.#read(start, memory.bytes).then(() => {
      stride.memory = memory
      return memory
    })
    const stride: Stride = { reading, memory: undefined }
    this.#strides.set(index, stride)
    reading.catch(() => this.#strides.delete(index))
    const [oldest] = this.#strides.keys()
    if (this.#strides.size * this.#stride > this.#limit && oldest !== undefined && oldest !== index)
      this.#evict(oldest)
    return stride
  }

  /** Not the newest: those that wait for it must be its users before it is released here. */
  #evict(index: number): void {
    const stride = this.#strides.get(index)
    this.#strides.delete(index)
    stride?.reading.then(
      (memory) => memory.release(),
      () => {},
    )
  }
}

function part(memory: CountedMemory, from: number, length: number): Content {
  memory.retain()
  return { bytes: memory.bytes.subarray(from, from + length), memory }
}
