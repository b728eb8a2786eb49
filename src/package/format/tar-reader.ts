import type { TarHeader } from './archive-entry.ts'
import { BLOCK_BYTES, END_BYTES, paddingOf } from './header.ts'
import { readHeader, readPax, withPax } from './read-header.ts'

/**
 * Gets the entries in order, and a file's content in chunks, which are only valid during the call. An error that it throws ends
 * the reading.
 */
export interface TarVisitor {
  entry(header: TarHeader): void
  content(chunk: Buffer): void
  endContent(): void
}

/** More than any path and link target need: a hostile archive cannot make this process use more memory. */
const MAX_PAX_BYTES = 1 << 20

/**
 * Reads a package from chunks of any length, synchronously and without copies: a stream for each entry would cost a third
 * of unpacking (NOTES.md). Knows only the format of `tar.ts`. The caller must check everything that it returns.
 */
export class TarReader {
  readonly #visitor: TarVisitor
  /** For an incomplete header or pax content: how many bytes it has and how many are here. */
  #wanted = BLOCK_BYTES
  #parts: Buffer[] = []
  #gathered = 0
  #isPax = false
  #pax: Record<string, string> | undefined
  /** Bytes of content and of padding that are still to come. */
  #content = 0
  #padding = 0
  /** Zero bytes in a row at the end. */
  #zeros = 0

  constructor(visitor: TarVisitor) {
    this.#visitor = visitor
  }

  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#content > 0) at = this.#takeContent(chunk, at)
      else if (this.#padding > 0) at = this.#skip(chunk, at)
      else at = this.#gather(chunk, at)
    }
  }

  /** Throws when the package was cut off, even between two entries. */
  end(): void {
    const midway = this.#gathered > 0 || this.#content > 0 || this.#padding > 0 || this.#isPax || this.#pax
    if (midway || this.#zeros < END_BYTES) throw new Error('its end is missing')
  }

  #takeContent(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#content)
    this.#content -= end - at
    this.#visitor.content(chunk.subarray(at, end))
    if (this.#content === 0) this.#visitor.endContent()
    return end
  }

  #skip(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#padding)
    this.#padding -= end - at
    return end
  }

  #gather(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#wanted - this.#gathered)
    const part = chunk.subarray(at, end)
    this.#gathered += part.length
    if (this.#gathered < this.#wanted) {
      this.#parts.push(Buffer.from(part)) // the chunk's buffer is used again
      return end
    }
    const whole = this.#parts.length === 0 ? part : Buffer.concat([...this.#parts, part])
    this.#parts = []
    this.#gathered = 0
    this.#take(whole)
    return end
  }

  #take(bytes: Buffer): void {
    if (this.#isPax) {
      this.#pax = readPax(bytes)
      this.#isPax = false
      this.#padding = paddingOf(bytes.length)
      this.#wanted = BLOCK_BYTES
      return
    }
    const header = readHeader(bytes)
    if (!header) {
      this.#zeros += BLOCK_BYTES
      return
    }
    this.#zeros = 0
    if (header.type === 'pax header') this.#expectPax(header.size)
    else this.#begin(this.#pax ? withPax(header, this.#pax) : header)
  }

  #expectPax(size: number): void {
    if (this.#pax || size === 0 || size > MAX_PAX_BYTES) throw new Error('an extended header is broken')
    this.#isPax = true
    this.#wanted = size
  }

  #begin(header: TarHeader): void {
    this.#pax = undefined
    this.#visitor.entry(header)
    if (header.type !== 'file') return
    if (!Number.isSafeInteger(header.size) || header.size < 0)
      throw new Error('a file has an impossible size')
    this.#content = header.size
    this.#padding = paddingOf(header.size)
    if (header.size === 0) this.#visitor.endContent()
  }
}
