import { hash } from 'node:crypto'
import { hashWindow } from './rolling.ts'

/** A signature's part about one file: a weak and a strong hash of each of its blocks. Only the last block may be shorter. */
export interface Blocks {
  /** Size of the file, bytes. */
  size: number
  blockLength: number
  weak: Int32Array
  strong: Buffer
  strongLength: number
}

/** A smaller file is known only by the hash of its whole content. */
export const MIN_FILE_BYTES = 4 << 10
const MAX_BLOCKS = 2 ** 20
const MIN_BLOCK_BYTES = 1 << 10
/** Doubling it halves a signature. With this value a signature is about half a percent of a file. */
const USUAL_BLOCK_BYTES = 2 << 10
const MAX_SMALL_FILE_BYTES = 1 << 20

export function blockLengthOf(size: number): number {
  let length = size <= MAX_SMALL_FILE_BYTES ? MIN_BLOCK_BYTES : USUAL_BLOCK_BYTES
  while (size / length > MAX_BLOCKS) length *= 2
  return length
}

const blockCountOf = (size: number): number =>
  size < MIN_FILE_BYTES ? 0 : Math.ceil(size / blockLengthOf(size))

/** Effective bits of the weak hash. It has 32, but texts do not use them evenly. */
const WEAK_BITS = 16
/** The new file may be four times as long as the old one. */
const GROWTH_BITS = 2
/** One wrong copy in 2^30 changed files. It does no harm, but costs another transfer, because the file's hash shows it. */
const SAFETY_BITS = 30

/** How many bytes of a block's SHA-256 make a wrong match improbable. Each place of the new file is compared with each block. */
function strongLengthOf(size: number): number {
  const bits =
    Math.log2(size) + GROWTH_BITS + Math.log2(Math.max(1, blockCountOf(size))) + SAFETY_BITS - WEAK_BITS
  return Math.ceil(bits / 8)
}

/** Bytes that the blocks of a file have in a signature. */
export function blockBytesOf(size: number): number {
  const count = blockCountOf(size)
  return count === 0 ? 0 : count * (WEAK_BYTES + strongLengthOf(size))
}

const WEAK_BYTES = 4

/** Bytes that one block of a file of this size has there. */
export const rowBytesOf = (size: number): number => WEAK_BYTES + strongLengthOf(size)

/** Whether the same block has the same row in files of these sizes. */
export const hasSameRows = (one: number, other: number): boolean =>
  Math.min(blockCountOf(one), blockCountOf(other)) > 0 &&
  blockLengthOf(one) === blockLengthOf(other) &&
  strongLengthOf(one) === strongLengthOf(other)

export const strongHash = (block: Uint8Array, length: number): Buffer =>
  hash('sha256', block, 'buffer').subarray(0, length)

/** A file's part of a signature. The input is whole blocks; only the last may be shorter. */
export function encodeBlocks(bytes: Buffer, size: number): Buffer {
  const blockLength = blockLengthOf(size)
  const strongLength = strongLengthOf(size)
  const row = rowBytesOf(size)
  const rows = Buffer.allocUnsafe(Math.ceil(bytes.length / blockLength) * row)
  for (let at = 0, to = 0; at < bytes.length; at += blockLength, to += row) {
    const block = bytes.subarray(at, at + blockLength)
    rows.writeInt32LE(hashWindow(block, 0, block.length), to)
    strongHash(block, strongLength).copy(rows, to + WEAK_BYTES)
  }
  return rows
}

/** `rows` is the output of `encodeBlocks` for the whole file. */
export function decodeBlocks(rows: Buffer, size: number): Blocks {
  const count = blockCountOf(size)
  const strongLength = strongLengthOf(size)
  const weak = new Int32Array(count)
  const strong = Buffer.allocUnsafe(count * strongLength)
  for (let i = 0, at = 0; i < count; i++, at += WEAK_BYTES + strongLength) {
    weak[i] = rows.readInt32LE(at)
    rows.copy(strong, i * strongLength, at + WEAK_BYTES, at + WEAK_BYTES + strongLength)
  }
  return { size, blockLength: blockLengthOf(size), weak, strong, strongLength }
}
