import { createHash, hash, webcrypto } from 'node:crypto'
import { write } from 'node:fs'
import { promisify } from 'node:util'

const writeAsync = promisify(write)

const USUAL_BLOCK_BYTES = 1 << 20
/** A shorter piece is hashed faster here than in the thread pool, because of the round trip. */
const MIN_POOLED_HASH_BYTES = 128 << 10

/** The finished package. `pieces` are SHA-1 digests of 20 bytes, one for each piece. */
export interface Written {
  length: number
  sha256: string
  pieces: Buffer[]
}

/**
 * Writes a file from its start and hashes it meanwhile: SHA-256 of the whole on this thread, SHA-1 of each piece and the
 * writing on libuv's threads. Uses a few blocks of about 1 MiB (of one piece, when that is longer) and no more. The caller
 * opens the file, and closes it after `idle`.
 */
export class PieceSink {
  readonly #fd: number
  readonly #pieceLength: number
  readonly #whole = createHash('sha256')
  readonly #pieces: Buffer[] = []
  readonly #free: Buffer[]
  readonly #busy = new Set<Promise<void>>()
  /** The first failed block's error. The next call throws it. */
  #failure: { cause: unknown } | undefined
  #block: Buffer
  #filled = 0
  #length = 0

  constructor(fd: number, pieceLength: number) {
    this.#fd = fd
    this.#pieceLength = pieceLength
    const length = pieceLength * Math.max(1, Math.floor(USUAL_BLOCK_BYTES / pieceLength))
    this.#free = Array.from({ length: length > USUAL_BLOCK_BYTES ? 1 : 3 }, () =>
      Buffer.allocUnsafeSlow(length),
    )
    this.#block = Buffer.allocUnsafeSlow(length)
  }

  /** Copies `chunk`. If it returns a promise, await that before the next call, and leave `chunk` unchanged until then. */
  write(chunk: Buffer, from = 0): Promise<void> | undefined {
    let at = from
    while (at < chunk.length) {
      if (this.#filled === this.#block.length) {
        const block = this.#failure ? undefined : this.#free.pop()
        if (!block) return this.#room().then(() => this.write(chunk, at))
        this.#block = block
        this.#filled = 0
      }
      const copied = chunk.copy(this.#block, this.#filled, at)
      at += copied
      this.#filled += copied
      if (this.#filled === this.#block.length) this.#flush()
    }
    return undefined
  }

  async end(): Promise<Written> {
    if (this.#filled < this.#block.length) this.#flush()
    await this.idle()
    if (this.#failure) throw this.#failure.cause
    return { length: this.#length, sha256: this.#whole.digest('hex'), pieces: this.#pieces }
  }

  /** Resolves when nothing is being written any more, even after a failure. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy)
  }

  async #room(): Promise<void> {
    while (this.#free.length === 0 && !this.#failure) await Promise.race(this.#busy)
    if (this.#failure) throw this.#failure.cause
  }

  #flush(): void {
    const block = this.#block
    const bytes = block.subarray(0, this.#filled)
    if (bytes.length === 0) return
    const job = Promise.all([this.#store(bytes, this.#length), ...this.#hashPieces(bytes)])
      .then(
        () => {},
        (cause: unknown) => {
          this.#failure ??= { cause }
        },
      )
      .then(() => {
        this.#busy.delete(job)
        this.#free.push(block)
      })
    this.#busy.add(job)
    this.#length += bytes.length
    this.#whole.update(bytes)
  }

  async #store(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await writeAsync(this.#fd, bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  }

  #hashPieces(bytes: Buffer): Promise<void>[] {
    const jobs: Promise<void>[] = []
    for (let start = 0; start < bytes.length; start += this.#pieceLength) {
      const piece = bytes.subarray(start, start + this.#pieceLength)
      const index = this.#pieces.length
      if (piece.length < MIN_POOLED_HASH_BYTES) {
        this.#pieces.push(hash('sha1', piece, 'buffer'))
        continue
      }
      this.#pieces.push(Buffer.alloc(0))
      jobs.push(
        webcrypto.subtle.digest('SHA-1', piece).then((digest) => {
          this.#pieces[index] = Buffer.from(digest)
        }),
      )
    }
    return jobs
  }
}
