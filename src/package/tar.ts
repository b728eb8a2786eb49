import type { Entry } from './entry.ts'
import { endLength, headerOf, paddingOf } from './header.ts'

/**
 * A part of the package: bytes, or how many bytes come here that are not known (a hole). Bytes are only valid until
 * the next part is asked for: readers use their buffers again.
 */
export type Part = Buffer | number

/** An entry's content: at once, in parts, or unknown. Never more than `entry.size` bytes. */
export type Content = Buffer | AsyncIterable<Buffer> | undefined

/**
 * The uncompressed package, in order. Whatever `contentOf` falls short of becomes a hole, so the length is always
 * `packedLength(entries)`.
 */
export async function* tar(entries: Entry[], contentOf: (entry: Entry) => Content): AsyncGenerator<Part> {
  for (const entry of entries) {
    yield headerOf(entry)
    if (entry.size === 0) continue
    const content = contentOf(entry)
    let missing = entry.size
    if (Buffer.isBuffer(content)) {
      missing -= content.length
      yield content
    } else if (content) {
      for await (const chunk of content) {
        missing -= chunk.length
        yield chunk
      }
    }
    if (missing > 0) yield missing
    const padding = paddingOf(entry.size)
    if (padding) yield zeros.subarray(0, padding)
  }
  yield zeros
}

const zeros = Buffer.alloc(endLength)
