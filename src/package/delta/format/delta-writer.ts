import { ByteWriter } from '../../format/bytes.ts'
import { packFrame } from '../../format/frame.ts'
import { FAST_QUALITY, travelQuality } from './effort.ts'
import { EntryWriter } from './entry-columns.ts'
import type { Delivered, Manifest } from './manifest.ts'
import type { OperationSink } from './operation-sink.ts'

export const MAGIC = Buffer.from('murder-delta 1\n')
export const END = 0
export const SEGMENT = 1

/** Kinds of operations, in the lowest two bits of a length. */
export const LITERAL = 0
/** A copy from the same file as the last copy. */
export const COPY = 1
/** A copy from a file that is given. */
export const COPY_FROM = 2

/** A segment ends at this many bytes in all columns. */
const SEGMENT_BYTES = 4 << 20
/** The longest literal, and the longest copy with differences, in one operation. A segment may be longer by this much. */
export const MAX_OPERATION_BYTES = 1 << 20

/**
 * Writes a delta: entries, and for each new file the operations that make its content. Data of each kind is in a column of its
 * own, because that compresses better. Every few MiB the columns become a segment.
 */
export class DeltaWriter implements OperationSink {
  readonly #writer: EntryWriter
  readonly #operations = new ByteWriter()
  readonly #gaps = new ByteWriter()
  readonly #values = new ByteWriter()
  readonly #literals = new ByteWriter()
  /** The file of the base that the last copy was from, and where in it the next one is expected. */
  #file = 0
  #expected = 0
  #segments = 0

  constructor(base: Manifest) {
    this.#writer = new EntryWriter(base.entries)
  }

  /** Whether operations must follow for this entry. */
  entry(entry: Delivered): boolean {
    this.#expected = 0
    return this.#writer.write(entry)
  }

  literal(bytes: Buffer): void {
    this.#operations.uint(4 * bytes.length + LITERAL)
    this.#literals.bytes(bytes)
    this.#expected += bytes.length
  }

  copy(file: number, offset: number, length: number, differences: readonly number[] = []): void {
    if (file === this.#file) this.#operations.uint(4 * length + COPY)
    else {
      this.#operations.uint(4 * length + COPY_FROM)
      this.#operations.int(file - this.#file)
      this.#expected = 0
      this.#file = file
    }
    this.#operations.int(offset - this.#expected)
    this.#operations.uint(differences.length / 2)
    for (let i = 0; i < differences.length; i += 2) {
      this.#gaps.uint(differences[i] as number)
      this.#values.byte(differences[i + 1] as number)
    }
    this.#expected = offset + length
  }

  get isFull(): boolean {
    return this.#columns().reduce((sum, { length }) => sum + length, 0) >= SEGMENT_BYTES
  }

  /** The bytes written since the last segment. */
  async segment(): Promise<Buffer[]> {
    const parts: Buffer[] = [Buffer.from([SEGMENT])]
    // The last part of a long delta gets no more time for each byte than the ones before.
    const isFirst = this.#segments++ === 0
    // One after the other, because each compression takes tens of megabytes.
    for (const column of this.#columns()) {
      const plain = column.take()
      parts.push(await packFrame(plain, isFirst ? travelQuality(plain.length) : FAST_QUALITY))
    }
    return parts
  }

  #columns(): ByteWriter[] {
    const { entries, times } = this.#writer
    return [entries, times, this.#operations, this.#gaps, this.#values, this.#literals]
  }
}
