import { type Blocks, strongHash } from './blocks.ts'
import { slotOf } from './rolling.ts'

/** A hostile signature may have many blocks with one weak hash. Each would cost a comparison at each place with that hash. */
const MAX_CHAIN = 16

/** Where a block was found. */
export interface Found {
  /** Position in the list from which the index was made. */
  file: number
  offset: number
  length: number
}

/**
 * Finds a window of bytes among the whole blocks of one or a few files that have the same block length. First it asks a bitmap,
 * which fits into the processor's cache and rejects almost all windows (as in zsync).
 */
export class BlockIndex {
  readonly blockLength: number
  readonly #files: readonly Blocks[]
  /** The number of each file's first block, among the blocks of all files. */
  readonly #firsts: number[] = []
  readonly #weak: Int32Array
  readonly #heads: Int32Array
  readonly #next: Int32Array
  readonly #shift: number
  readonly #bitmap: Uint8Array
  readonly #bitmapShift: number

  constructor(files: readonly Blocks[]) {
    this.#files = files
    this.blockLength = files[0]?.blockLength ?? 1
    let count = 0
    for (const { weak } of files) {
      this.#firsts.push(count)
      count += weak.length
    }
    const bits = Math.max(4, Math.ceil(Math.log2(count + 1)))
    this.#shift = 32 - bits
    this.#bitmapShift = 32 - Math.min(27, bits + 4)
    this.#heads = new Int32Array(2 ** bits).fill(-1)
    this.#next = new Int32Array(count)
    this.#bitmap = new Uint8Array(2 ** (32 - this.#bitmapShift - 3))
    this.#weak = new Int32Array(count)
    for (const [file, blocks] of files.entries()) this.#add(file, blocks)
  }

  /** Whether a window with this hash may be one of the blocks. */
  mayHave(weak: number): boolean {
    const bit = slotOf(weak, this.#bitmapShift)
    return ((this.#bitmap[bit >>> 3] as number) & (1 << (bit & 7))) !== 0
  }

  /** The block with the content of `window`, which has a block's length. */
  find(weak: number, window: Uint8Array): Found | undefined {
    let strong: Buffer | undefined
    let block = this.#heads[slotOf(weak, this.#shift)] as number
    for (let i = 0; block >= 0 && i < MAX_CHAIN; i++, block = this.#next[block] as number) {
      if (this.#weak[block] !== weak) continue
      const file = this.#fileOf(block)
      const { strongLength } = this.#files[file] as Blocks
      strong ??= strongHash(window, 32)
      const at = block - (this.#firsts[file] as number)
      if (this.#strongOf(file, at).equals(strong.subarray(0, strongLength)))
        return { file, offset: at * this.blockLength, length: this.blockLength }
    }
    return undefined
  }

  /** How long the block of `file` at `offset` is; 0 where none begins. */
  lengthAt(file: number, offset: number): number {
    const { size } = this.#files[file] as Blocks
    return offset % this.blockLength === 0 ? Math.max(0, Math.min(this.blockLength, size - offset)) : 0
  }

  /** Whether `window` is the block of `file` at `offset`, which may be a shorter last one. */
  isBlock(file: number, offset: number, window: Uint8Array): boolean {
    const { strongLength } = this.#files[file] as Blocks
    const block = this.#strongOf(file, offset / this.blockLength)
    return block.equals(strongHash(window, strongLength))
  }

  #add(file: number, { weak, size, blockLength }: Blocks): void {
    const first = this.#firsts[file] as number
    const whole = Math.floor(size / blockLength)
    // Backwards, so that of several equal blocks the first is kept.
    for (let i = whole - 1; i >= 0; i--) {
      const hash = weak[i] as number
      const slot = slotOf(hash, this.#shift)
      const head = this.#heads[slot] as number
      const isAgain = head >= first && this.#weak[head] === hash && this.#areSame(file, head - first, i)
      this.#weak[first + i] = hash
      this.#next[first + i] = isAgain ? (this.#next[head] as number) : head
      this.#heads[slot] = first + i
      const bit = slotOf(hash, this.#bitmapShift)
      this.#bitmap[bit >>> 3] = (this.#bitmap[bit >>> 3] as number) | (1 << (bit & 7))
    }
  }

  #fileOf(block: number): number {
    let file = this.#firsts.length - 1
    while ((this.#firsts[file] as number) > block) file--
    return file
  }

  #areSame(file: number, one: number, other: number): boolean {
    return this.#strongOf(file, one).equals(this.#strongOf(file, other))
  }

  #strongOf(file: number, block: number): Buffer {
    const { strong, strongLength } = this.#files[file] as Blocks
    return strong.subarray(block * strongLength, (block + 1) * strongLength)
  }
}
