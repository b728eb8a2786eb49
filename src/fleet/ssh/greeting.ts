import { START_MARK } from './bootstrap.ts'
import { Tail } from './tail.ts'

/** Passes on the bytes after the start mark. It keeps the last few KiB of those before it, the server's greeting. */
export class Greeting {
  readonly #mark = Buffer.from(`\n${START_MARK}\n`)
  readonly #before = new Tail()
  found = false

  /** The part of `chunk` that belongs to the script. */
  push(chunk: Buffer): Buffer {
    if (this.found) return chunk
    // The mark may be split over two chunks.
    const seen = Buffer.concat([this.#before.bytes, chunk])
    const at = seen.indexOf(this.#mark)
    if (at === -1) {
      this.#before.push(chunk)
      return Buffer.alloc(0)
    }
    this.found = true
    return seen.subarray(at + this.#mark.length)
  }

  get text(): string {
    return this.#before.toString()
  }
}
