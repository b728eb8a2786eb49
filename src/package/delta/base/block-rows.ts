import { stopIfAborted } from '../../../files/file-errors.ts'
import { writeAll } from '../../../files/write-all.ts'
import type { Delivered } from '../format/manifest.ts'
import { blockLengthOf, encodeBlocks, hasSameRows, rowBytesOf } from '../match/blocks.ts'
import type { KeptBase } from './kept-base.ts'
import type { SharedRun } from './shared-runs.ts'

/** A file of the new release, whose bytes can be read again. */
export interface NewFile {
  entry: Delivered
  /** Bytes from `start` to `end`, at most `most` at a time. Each part is valid until the next one. */
  parts(start: number, end: number, most: number): Iterable<Buffer>
}

/** What a file shares with the base that was kept last. */
export interface Sharing {
  shared: readonly SharedRun[]
  earlier: KeptBase | undefined
  signal: AbortSignal | undefined
}

/** Bytes to hash at a time: whole blocks of any file up to 256 GB. */
const CHUNK_BYTES = 1 << 20

/** Writes the rows of a file's blocks. Those of blocks that it shares with an earlier file are copied where they lie alike. */
export function writeRows(fd: number, file: NewFile, { shared, earlier, signal }: Sharing): void {
  const { size } = file.entry
  const blockLength = blockLengthOf(size)
  const most = Math.max(blockLength, CHUNK_BYTES)
  const compute = (first: number, end: number) => {
    for (const bytes of file.parts(first * blockLength, Math.min(size, end * blockLength), most)) {
      stopIfAborted(signal)
      writeAll(fd, encodeBlocks(bytes, size))
    }
  }
  let done = 0
  for (const { first, rows } of knownRows(size, shared, earlier)) {
    compute(done, first)
    writeAll(fd, rows)
    done = first + rows.length / rowBytesOf(size)
  }
  compute(done, Math.ceil(size / blockLength))
}

interface KnownRows {
  /** The number of the first block. */
  first: number
  rows: Buffer
}

function* knownRows(
  size: number,
  shared: readonly SharedRun[],
  earlier: KeptBase | undefined,
): Generator<KnownRows> {
  const [blockLength, rowBytes] = [blockLengthOf(size), rowBytesOf(size)]
  let at = 0
  for (const { length, from } of shared) {
    const end = at + length
    const base = from && earlier?.manifest.entries[from.file]
    const shift = (from?.offset ?? 0) - at
    if (base && shift % blockLength === 0 && hasSameRows(base.size, size)) {
      const first = Math.ceil(at / blockLength)
      // The last block of a file may be shorter: it is the same only as the last one of the other file.
      const isEnd = end === size && end + shift === base.size
      const last = isEnd ? Math.ceil(end / blockLength) : Math.floor(end / blockLength)
      const skipped = first + shift / blockLength
      const rows = first < last && earlier?.rowsOf(from.file)
      if (rows) yield { first, rows: rows.subarray(skipped * rowBytes, (skipped + last - first) * rowBytes) }
    }
    at = end
  }
}
