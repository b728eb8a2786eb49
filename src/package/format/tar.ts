import type { Entry } from '../../files/entry.ts'
import { END_BYTES, headerOf, paddingOf } from './header.ts'

/**
 * A part of the package: bytes, perhaps none, or the length of a hole, whose bytes are not known. Bytes are only valid until
 * the next part is asked for, because readers reuse their buffers.
 */
export type Part = Buffer | number

/** An entry's content: whole, in parts, or unknown. Never more than `entry.size` bytes. */
export type Content = Buffer | AsyncIterable<Buffer> | undefined

/**
 * The uncompressed package, in order. Bytes that `contentOf` does not give become a hole, so the length is always
 * `packedLength(entries)`.
 */
export async function* tar(entries: Entry[], contentOf: (entry: Entry) => Content): AsyncGenerator<Part> {
  const small = new Gatherer()
  for (const entry of entries) {
    const header = headerOf(entry)
    if (!small.fits(header.length)) yield small.take()
    small.add(header)
    if (entry.size === 0) continue
    const content = contentOf(entry)
    let missing = entry.size
    if (Buffer.isBuffer(content)) {
      missing -= content.length
      if (!small.fits(content.length)) yield small.take()
      if (small.fits(content.length)) small.add(content)
      else yield content
    } else if (content) {
      yield small.take()
      for await (const chunk of content) {
        missing -= chunk.length
        yield chunk
      }
    }
    if (missing > 0) {
      yield small.take()
      yield missing
    }
    const padding = paddingOf(entry.size)
    if (!small.fits(padding)) yield small.take()
    small.add(zeros.subarray(0, padding))
  }
  yield small.take()
  yield zeros
}

const zeros = Buffer.alloc(END_BYTES)

/** Joins small files into one part, because each part costs its consumers several turns of the microtask queue. */
class Gatherer {
  readonly #bytes = Buffer.allocUnsafe(64 << 10)
  #filled = 0

  fits(length: number): boolean {
    return this.#filled + length <= this.#bytes.length
  }

  add(bytes: Buffer): void {
    this.#filled += bytes.copy(this.#bytes, this.#filled)
  }

  /** Returns what was added. The next `add` overwrites it. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#filled)
    this.#filled = 0
    return taken
  }
}
