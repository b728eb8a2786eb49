import type { ByteSource } from '../../package/delta/match/byte-source.ts'
import { hashWindow, leavingFactor, rollHash, slotOf } from '../../package/delta/match/rolling.ts'
import { type ContentSignature, prefixHash, strongOf } from './signature.ts'

const WINDOW_BYTES = 4 << 20
/** A step compares a block, or hashes 16 KiB. A signature that lies may need many. Any signature may use this many. */
const MIN_STEPS = 100_000
const BYTES_PER_STEP = 256
const BYTES_PER_HASH_STEP = 16 << 10

export interface FoundBlocks {
  /** In the file. */
  offset: number
  /** Blocks with this content; each is reported once. */
  blocks: number[]
}

/**
 * Looks for blocks at any offset of files (Tridgell and Mackerras 1996). A bitmap, which fits into the processor's cache, says no
 * for almost all windows (zsync's way).
 */
export class BlockSearch {
  readonly #signature: ContentSignature
  readonly #heads = new Map<number, number>()
  /** The next wanted one with the same weak hash, by the position in `#wanted`; -1 for none. */
  readonly #next: Int32Array
  readonly #wanted: readonly number[]
  readonly #isFound: Uint8Array
  readonly #bitmap: Uint8Array
  readonly #shift: number
  #stepsLeft = MIN_STEPS
  #left: number

  /** `wanted`: whole blocks. */
  constructor(signature: ContentSignature, wanted: readonly number[]) {
    this.#signature = signature
    this.#wanted = wanted
    this.#left = wanted.length
    this.#next = new Int32Array(wanted.length)
    this.#isFound = new Uint8Array(wanted.length)
    const bits = Math.min(27, Math.max(8, Math.ceil(Math.log2(wanted.length + 1)) + 4))
    this.#shift = 32 - bits
    this.#bitmap = new Uint8Array(2 ** (bits - 3))
    for (const [index, block] of wanted.entries()) {
      const weak = signature.weakOf(block)
      this.#next[index] = this.#heads.get(weak) ?? -1
      this.#heads.set(weak, index)
      const bit = slotOf(weak, this.#shift)
      this.#bitmap[bit >>> 3] = (this.#bitmap[bit >>> 3] as number) | (1 << (bit & 7))
    }
  }

  /** All are found, or the signature has cost too much. */
  get isOver(): boolean {
    return this.#left === 0 || this.#stepsLeft < 0
  }

  /** At each `undefined` the caller may do other work. */
  *in(source: ByteSource): Generator<FoundBlocks | undefined> {
    const { blockLength } = this.#signature
    this.#stepsLeft += source.size / BYTES_PER_STEP
    const room = Buffer.allocUnsafe(Math.min(source.size, WINDOW_BYTES + blockLength))
    for (let begin = 0; begin + blockLength <= source.size && !this.isOver; ) {
      const bytes = room.subarray(0, source.read(room, begin))
      let at = 0
      while (at + blockLength <= bytes.length && !this.isOver) {
        const { next, blocks } = this.#roll(bytes, at)
        at = next
        if (blocks.length > 0) yield { offset: begin + at - blockLength, blocks }
      }
      if (at === 0) return // It has become shorter.
      begin += at
      yield undefined
    }
  }

  /** Searches to the end of the first window that is a block, or to where the next bytes must be read. */
  #roll(bytes: Uint8Array, from: number): { next: number; blocks: number[] } {
    const { blockLength } = this.#signature
    const factor = leavingFactor(blockLength)
    const last = bytes.length - blockLength
    let hash = hashWindow(bytes, from, blockLength)
    for (let at = from; ; at++) {
      const bit = slotOf(hash, this.#shift)
      if (((this.#bitmap[bit >>> 3] as number) & (1 << (bit & 7))) !== 0) {
        const blocks = this.#find(hash, bytes.subarray(at, at + blockLength))
        if (blocks) return { next: at + blockLength, blocks }
        if (this.isOver) return { next: bytes.length, blocks: [] }
      }
      if (at === last) return { next: last + 1, blocks: [] }
      hash = rollHash(hash, factor, bytes[at] as number, bytes[at + blockLength] as number)
    }
  }

  /** The blocks with this content, none if they were found before; undefined where there is no such block. */
  #find(weak: number, window: Uint8Array): number[] | undefined {
    const { blockLength } = this.#signature
    const head = this.#heads.get(weak)
    if (head === undefined) return undefined
    const signature = this.#signature
    const prefix = prefixHash(window)
    let strong: Buffer | undefined
    const same: number[] = []
    const others: number[] = []
    for (let index = head; index >= 0; index = this.#next[index] as number) {
      if (--this.#stepsLeft < 0) return undefined
      const block = this.#wanted[index] as number
      if (signature.prefixOf(block) === prefix && strong === undefined) {
        strong = strongOf(window)
        this.#stepsLeft -= blockLength / BYTES_PER_HASH_STEP
      }
      const isSame = signature.prefixOf(block) === prefix && strong?.equals(signature.strongOf(block))
      ;(isSame ? same : others).push(index)
    }
    const [first] = same
    if (first === undefined) return undefined
    if (this.#isFound[first] === 1) return []
    // One of them stays, so that its content is known the next time, too.
    this.#isFound[first] = 1
    this.#link(weak, [first, ...others])
    this.#left -= same.length
    return same.map((index) => this.#wanted[index] as number)
  }

  #link(weak: number, indexes: readonly number[]): void {
    this.#heads.set(weak, indexes[0] as number)
    for (const [at, index] of indexes.entries()) this.#next[index] = indexes[at + 1] ?? -1
  }
}
