import type { OperationSink } from '../format/operation-sink.ts'
import { BlockIndex } from './block-index.ts'
import { matchBlocks, type Place } from './block-match.ts'
import { type Blocks, blockLengthOf, decodeBlocks, encodeBlocks, MIN_FILE_BYTES } from './blocks.ts'
import { type ByteSource, readRange } from './byte-source.ts'
import type { Earlier } from './earlier-release.ts'
import { writeFine, writeLiteral } from './operations.ts'
import type { Scratch } from './scratch.ts'

interface LargeMatching {
  source: ByteSource
  earlier: readonly Earlier[]
  writer: OperationSink
  scratch: Scratch
}

/** Between two found runs that are shorter than this, all bytes are compared, because there is more to find. */
const MIN_CLEAR_BYTES = 64 << 10
const MAX_PART_BYTES = 8 << 20
/** A part is compared with half of its length on each side of the place where it is expected, and with so much more. */
const SLACK_BYTES = 4 << 10
/** Long parts are compared with more bytes, which also serve the next parts. */
const WIDE_PART_BYTES = 256 << 10
const WIDE_BYTES = 32 << 20

/** Bytes of the new file that are not written yet, and the expected place of the old ones. */
interface Part {
  start: number
  end: number
  place: Place | undefined
}

/**
 * Finds blocks first. Then the bytes around each change are compared with the old file at the same place, if its content is here.
 */
export function* matchLarge(options: LargeMatching): Generator<void> {
  const { source, earlier, writer, scratch } = options
  const comparison = new Comparison(options)
  let index: BlockIndex | undefined
  const indexOf = () => {
    index ??= new BlockIndex(comparable(earlier))
    return index
  }
  let at = 0
  let part: Part | undefined
  let next: Place | undefined = { file: 0, offset: 0 }
  for (const run of matchBlocks(source, earlier, indexOf, scratch)) {
    yield
    if (!run) continue
    const end: number = at + run.length
    const isClear =
      run.from !== undefined && (run.length >= MIN_CLEAR_BYTES || !earlier[run.from.file]?.content)
    if (isClear && run.from) {
      if (part) yield* comparison.write(part)
      part = undefined
      writer.copy((earlier[run.from.file] as Earlier).file, run.from.offset, run.length)
    } else {
      if (part && end - part.start > MAX_PART_BYTES) {
        yield* comparison.write(part)
        part = undefined
      }
      part ??= { start: at, end, place: run.from ?? next }
      part.end = end
    }
    next = run.from ? { file: run.from.file, offset: run.from.offset + run.length } : undefined
    at = end
  }
  if (part) yield* comparison.write(part)
}

class Comparison {
  readonly #source: ByteSource
  readonly #earlier: readonly Earlier[]
  readonly #writer: OperationSink
  readonly #scratch: Scratch
  /** The old bytes in the scratch memory. */
  #old: { file: number; start: number; bytes: Buffer } | undefined

  constructor({ source, earlier, writer, scratch }: LargeMatching) {
    this.#source = source
    this.#earlier = earlier
    this.#writer = writer
    this.#scratch = scratch
  }

  *write({ start, end, place }: Part): Generator<void> {
    for (let at = start; at < end; at += MAX_PART_BYTES) {
      const target = this.#scratch.target.read(this.#source, at, Math.min(end, at + MAX_PART_BYTES))
      if (!target) return
      const expected = place && { file: place.file, offset: place.offset + at - start }
      const old = this.#oldFor(expected ?? this.#guess(at), target.length)
      if (!old) {
        yield* writeLiteral(target, this.#writer)
        continue
      }
      const pieces = [{ file: old.file, start: old.start, length: old.bytes.length }]
      const diagonal = expected ? expected.offset - old.start : 0
      yield* writeFine(
        target,
        { bytes: old.bytes, pieces, seeds: this.#scratch.seeds },
        this.#writer,
        diagonal,
      )
    }
  }

  /** At the same position in the likeliest file as in the new one. */
  #guess(at: number): Place {
    const share = at / this.#source.size
    return { file: 0, offset: Math.floor(share * (this.#earlier[0]?.content?.size ?? 0)) }
  }

  /** Undefined where the content is not here. `file` is the index in the base. */
  #oldFor(
    { file: likely, offset }: Place,
    length: number,
  ): { file: number; start: number; bytes: Buffer } | undefined {
    const { file = 0, content } = this.#earlier[likely] ?? {}
    if (!content) return undefined
    const around = length < WIDE_PART_BYTES ? SLACK_BYTES + (length >> 1) : WIDE_BYTES / 2
    const isThere =
      this.#old?.file === file &&
      this.#old.start <= Math.max(0, offset - around / 2) &&
      this.#old.start + this.#old.bytes.length >= Math.min(content.size, offset + length + around / 2)
    if (isThere) return this.#old
    const start = Math.max(0, Math.min(offset, content.size) - around)
    const end = Math.min(content.size, start + length + 2 * around)
    const bytes = this.#scratch.old.read(content, start, end)
    this.#old = bytes && { file, start, bytes }
    if (bytes) this.#scratch.seeds.take(bytes)
    return this.#old
  }
}

/** Blocks of the likely files, all of one length, because only one window rolls. */
function comparable(earlier: readonly Earlier[]): Blocks[] {
  const all = earlier.map(({ blocks, content }) => blocks() ?? blocksOf(content))
  const length = all.find((blocks) => blocks)?.blockLength ?? blockLengthOf(0)
  return all.map((blocks) => (blocks?.blockLength === length ? blocks : noBlocks(length)))
}

const noBlocks = (blockLength: number): Blocks => ({
  size: 0,
  blockLength,
  weak: new Int32Array(0),
  strong: Buffer.alloc(0),
  strongLength: 1,
})

const READ_BYTES = 1 << 20

/** Made from content that has no signature. */
function blocksOf(content: ByteSource | undefined): Blocks | undefined {
  if (!content || content.size < MIN_FILE_BYTES) return undefined
  const length = Math.max(blockLengthOf(content.size), READ_BYTES)
  const rows: Buffer[] = []
  for (let at = 0; at < content.size; at += length) {
    const bytes = readRange(content, at, Math.min(content.size, at + length))
    if (!bytes) return undefined
    rows.push(encodeBlocks(bytes, content.size))
  }
  return decodeBlocks(Buffer.concat(rows), content.size)
}
