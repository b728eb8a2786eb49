import type { Entry } from '../../files/entry.ts'
import { END_BYTES, headerOf, paddingOf } from './header.ts'

/**
 * An entry's content, `entry.size` bytes: whole or in parts. Bytes are only valid until the next ones are requested, because
 * readers reuse their buffers.
 */
export type Content = Buffer | AsyncIterable<Buffer>

/** The uncompressed package, in order: `packedLength(entries)` bytes, valid as long as those of `Content`. */
export async function* tar(entries: Entry[], contentOf: (entry: Entry) => Content): AsyncGenerator<Buffer> {
  const small = new Gatherer()
  for (const entry of entries) {
    const header = headerOf(entry)
    if (!small.fits(header.length)) yield small.take()
    small.add(header)
    if (entry.size === 0) continue
    const content = contentOf(entry)
    if (Buffer.isBuffer(content)) {
      if (!small.fits(content.length)) yield small.take()
      if (small.fits(content.length)) small.add(content)
      else yield content
    } else {
      yield small.take()
      yield* content
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

  /** Returns the added bytes. The next `add` overwrites them. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#filled)
    this.#filled = 0
    return taken
  }
}
