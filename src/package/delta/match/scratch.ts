import type { ByteSource } from './byte-source.ts'
import { Seeds } from './fine-match.ts'

/** Memory that comparisons reuse one after the other. It grows to the need of the largest. */
export class Scratch {
  /** The part of the new file that moves on with the search for blocks, and old bytes beside it. */
  readonly window = new Room()
  readonly stride = new Room()
  readonly target = new Room()
  readonly old = new Room()
  readonly seeds = new Seeds()
}

/** Of what is larger, so much more: a room that grows often leaves as many behind, which are collected late. */
const STEP_BYTES = 8 << 20
const SMALL_BYTES = 1 << 20

const roomFor = (length: number): number =>
  length <= SMALL_BYTES ? SMALL_BYTES : Math.ceil(length / STEP_BYTES) * STEP_BYTES

/** Memory that grows. */
export class Room {
  #bytes = Buffer.alloc(0)

  /** Valid until the next call. */
  take(length: number): Buffer {
    if (this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(roomFor(length))
    return this.#bytes.subarray(0, length)
  }

  /** Bytes of a source from `start` to `end`; undefined when it has become shorter. */
  read(source: ByteSource, start: number, end: number): Buffer | undefined {
    const bytes = this.take(end - start)
    return source.read(bytes, start) === bytes.length ? bytes : undefined
  }
}
