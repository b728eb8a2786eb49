import type { OperationSink } from '../format/operation-sink.ts'
import type { ByteSource } from './byte-source.ts'
import type { Earlier, EarlierRelease } from './earlier-release.ts'
import { matchLarge } from './match-large.ts'
import { type Piece, writeFine } from './operations.ts'
import type { Scratch } from './scratch.ts'

/** Up to this size a file and its earlier versions are in memory together and compared byte by byte: blocks would be few. */
const MAX_IN_MEMORY_BYTES = 128 << 10

export interface Matching {
  source: ByteSource
  /** Indices of files of the base. */
  likely: readonly number[]
  base: EarlierRelease
  writer: OperationSink
  scratch: Scratch
}

/** Writes the operations that make the file at `source`. At each step the caller may take the output and do other work. */
export function* matchFile({ source, likely, base, writer, scratch }: Matching): Generator<void> {
  const earlier: Earlier[] = []
  try {
    for (const file of likely)
      earlier.push({ file, content: base.open(file), blocks: () => base.blocksOf(file) })
    const contents = earlier.flatMap(({ content }) => content ?? [])
    const size = contents.reduce((sum, { size }) => sum + size, source.size)
    if (contents.length > 0 && size <= MAX_IN_MEMORY_BYTES)
      yield* matchInMemory(source, earlier, writer, scratch)
    else yield* matchLarge({ source, earlier, writer, scratch })
  } finally {
    for (const { content } of earlier) content?.close()
  }
}

/** All earlier versions one after the other, so that each place is looked up once. */
function* matchInMemory(
  source: ByteSource,
  earlier: readonly Earlier[],
  writer: OperationSink,
  { target: room, old, seeds }: Scratch,
): Generator<void> {
  const all = earlier.reduce((sum, { content }) => sum + (content?.size ?? 0), 0)
  const bytes = old.take(all)
  const pieces: Piece[] = []
  let filled = 0
  for (const { file, content } of earlier) {
    const length = content?.read(bytes.subarray(filled, filled + content.size), 0) ?? 0
    pieces.push({ file, start: 0, length })
    filled += length
  }
  const known = bytes.subarray(0, filled)
  seeds.take(known)
  const target = room.read(source, 0, source.size)
  if (target) yield* writeFine(target, { bytes: known, pieces, seeds }, writer)
}
