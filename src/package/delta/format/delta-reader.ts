import { ByteStream } from '../../format/byte-stream.ts'
import { ByteReader } from '../../format/bytes.ts'
import { readFrame } from '../../format/frame.ts'
import { COPY, COPY_FROM, END, LITERAL, MAGIC, MAX_OPERATION_BYTES, SEGMENT } from './delta-writer.ts'
import { MAX_FRAME_BYTES } from './effort.ts'
import { EntryReader } from './entry-columns.ts'
import { badDelta } from './errors.ts'
import type { Delivered, Manifest } from './manifest.ts'
import { EntryLimit } from './manifest-file.ts'

/** The steps of a delta, in order. After an entry without `from`, its content follows in literals and copies. */
export type Step =
  | { do: 'entry'; entry: Delivered; from: number | undefined }
  | { do: 'literal'; bytes: Buffer }
  | { do: 'copy'; file: number; offset: number; length: number; differences: Differences | undefined }

/** Where a copy differs: `added[i]` is added to the byte at `places[i]`. */
export interface Differences {
  places: Uint32Array
  added: Buffer
}

const COLUMNS = 6
const ID_BYTES = 32

/**
 * Reads an untrusted delta. Checks that every copy lies within a file of the base and that each file gets exactly its size, and
 * keeps memory bounded. Bytes of a literal are valid until the next step. Throws BAD_DELTA.
 */
export async function* readDelta(parts: AsyncIterable<Buffer>, base: Manifest): AsyncGenerator<Step> {
  const stream = new ByteStream(parts, badDelta)
  try {
    if (!(await stream.bytes(MAGIC.length)).equals(MAGIC)) throw badDelta('it is of another kind or version')
    if ((await stream.bytes(ID_BYTES)).toString('hex') !== base.id)
      throw badDelta('it is for another release')
    const reader = new SegmentReader(base)
    for (;;) {
      const mark = await stream.byte()
      if (mark === END) break
      if (mark !== SEGMENT) throw badDelta('a part of an unknown kind')
      const columns: ByteReader[] = []
      while (columns.length < COLUMNS)
        columns.push(new ByteReader(await readFrame(stream, MAX_FRAME_BYTES), badDelta))
      yield* reader.steps(columns)
    }
    reader.end()
    await stream.end()
  } finally {
    await stream.close()
  }
}

class SegmentReader {
  readonly #base: readonly Delivered[]
  readonly #entries: EntryReader
  readonly #limit = new EntryLimit(badDelta)
  /** Bytes of the file's content that are still to come. */
  #missing = 0
  #file = 0
  #expected = 0

  constructor({ entries }: Manifest) {
    this.#base = entries
    this.#entries = new EntryReader(entries, badDelta)
  }

  *steps(columns: ByteReader[]): Generator<Step> {
    const [entries, times, operations, gaps, values, literals] = columns as [
      ByteReader,
      ByteReader,
      ByteReader,
      ByteReader,
      ByteReader,
      ByteReader,
    ]
    for (;;) {
      while (this.#missing > 0 && !operations.isDone)
        yield this.#operation(operations, gaps, values, literals)
      if (this.#missing > 0 || entries.isDone) break
      const { entry, from } = this.#entries.read(entries, times)
      this.#limit.add(entry)
      this.#missing = from === undefined ? entry.size : 0
      this.#expected = 0
      yield { do: 'entry', entry, from }
    }
    if (!columns.every(({ isDone }) => isDone)) throw badDelta('it says more than belongs to its files')
  }

  end(): void {
    if (this.#missing > 0) throw badDelta('a file is not whole')
  }

  #operation(operations: ByteReader, gaps: ByteReader, values: ByteReader, literals: ByteReader): Step {
    const head = operations.uint()
    const kind = head % 4
    const length = (head - kind) / 4
    if (length === 0 || length > this.#missing) throw badDelta('a file gets more than it has')
    this.#missing -= length
    if (kind === LITERAL) {
      this.#expected += length
      return { do: 'literal', bytes: literals.bytes(length) }
    }
    if (kind !== COPY && kind !== COPY_FROM) throw badDelta('an unknown operation')
    if (kind === COPY_FROM) {
      this.#file += operations.int()
      this.#expected = 0
    }
    const offset = this.#expected + operations.int()
    const from = this.#base[this.#file]
    if (from?.type !== 'file' || offset < 0 || offset + length > from.size)
      throw badDelta('it copies what the earlier release has not')
    this.#expected = offset + length
    const differences = this.#differences(operations.uint(MAX_OPERATION_BYTES), length, gaps, values)
    return { do: 'copy', file: this.#file, offset, length, differences }
  }

  #differences(count: number, length: number, gaps: ByteReader, values: ByteReader): Differences | undefined {
    if (count === 0) return undefined
    if (length > MAX_OPERATION_BYTES) throw badDelta('too long a copy with differences')
    const places = new Uint32Array(count)
    let at = 0
    for (let i = 0; i < count; i++) {
      at += gaps.uint(length)
      if (at >= length) throw badDelta('a difference beyond its copy')
      places[i] = at++
    }
    return { places, added: values.bytes(count) }
  }
}
