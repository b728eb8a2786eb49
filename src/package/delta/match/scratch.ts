import type { ByteSource } from './byte-source.ts'
import { Seeds } from './fine-match.ts'

/** Memory for one comparison after the other, which grows to what the largest needs and is used again. */
export class Scratch {
  readonly target = new Room()
  readonly old = new Room()
  readonly seeds = new Seeds()
}

class Room {
  #bytes = Buffer.alloc(0)

  /** Valid until the next call. */
  take(length: number): Buffer {
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(Math.max(length, 64 << 10))
    return this.#bytes.subarray(0, length)
  }

  /** Bytes of a source from `start` to `end`; undefined when it has become shorter. */
  read(source: ByteSource, start: number, end: number): Buffer | undefined {
    const bytes = this.take(end - start)
    return source.read(bytes, start) === bytes.length ? bytes : undefined
  }
}
