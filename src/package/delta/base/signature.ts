import { createHash } from 'node:crypto'
import { createReadStream, fstatSync } from 'node:fs'
import { shown } from '../../../files/entry.ts'
import { openToRead } from '../../../files/open-to-read.ts'
import { ByteStream } from '../../format/byte-stream.ts'
import { badSignature, baseChanged } from '../format/errors.ts'
import type { Delivered, Manifest } from '../format/manifest.ts'
import { readManifest, writeManifest } from '../format/manifest-file.ts'
import { type Blocks, blockBytesOf, blockLengthOf, decodeBlocks, encodeBlocks } from '../match/blocks.ts'
import { type ByteSource, fileSource, readRange } from '../match/byte-source.ts'

const MAGIC = Buffer.from('murder-signature 1\n')
/** Bytes to read at a time: whole blocks of any file up to 256 GB. */
const CHUNK_BYTES = 1 << 20

/** What is known about a release that is not here: its manifest, and hashes of the blocks of its larger files. */
export interface Signature {
  manifest: Manifest
  /** The blocks of the entry with this index; undefined for a small file. */
  blocksOf(index: number): Blocks | undefined
  /** The same as bytes. */
  rowsOf(index: number): Buffer | undefined
  close(): void
}

/**
 * A signature as bytes. `open` returns the content of a file; its SHA-256 is compared.
 * Throws BASE_CHANGED when a file is not what was delivered.
 */
export async function* makeSignature(
  manifest: Manifest,
  open: (entry: Delivered, index: number) => ByteSource | undefined,
): AsyncGenerator<Buffer> {
  yield* signatureHead(manifest)
  for (const [index, entry] of manifest.entries.entries()) {
    if (entry.type !== 'file' || blockBytesOf(entry.size) === 0) continue
    const source = open(entry, index)
    if (!source) throw baseChanged(`${shown(entry.path)} cannot be read`)
    try {
      yield* blocksOf(source, entry)
    } finally {
      source.close()
    }
  }
}

/** What comes before the rows of blocks. */
export async function* signatureHead(manifest: Manifest): AsyncGenerator<Buffer> {
  yield MAGIC
  yield* writeManifest(manifest)
}

async function* blocksOf(source: ByteSource, { path, size, sha256 }: Delivered): AsyncGenerator<Buffer> {
  const whole = createHash('sha256')
  const length = Math.max(blockLengthOf(size), CHUNK_BYTES)
  for (let at = 0; at < size; at += length) {
    const bytes = readRange(source, at, Math.min(size, at + length))
    if (!bytes) throw baseChanged(`${shown(path)} has become shorter`)
    whole.update(bytes)
    yield encodeBlocks(bytes, size)
  }
  if (whole.digest('hex') !== sha256) throw baseChanged(`${shown(path)} has other content`)
}

/** Length of the signature after the manifest. */
const blockBytes = ({ entries }: Manifest): number =>
  entries.reduce((sum, { type, size }) => sum + (type === 'file' ? blockBytesOf(size) : 0), 0)

/**
 * Opens a signature in a file. It is not trusted: if it lies, the delta does not fit, which does no harm.
 * Throws BAD_SIGNATURE, and what the file system throws.
 */
export async function openSignature(path: string): Promise<Signature> {
  const parts = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  let length = 0
  const counted = (async function* () {
    for await (const part of parts) {
      length += part.length
      yield part as Buffer
    }
  })()
  const stream = new ByteStream(counted, badSignature)
  let manifest: Manifest
  let start: number
  try {
    if (!(await stream.bytes(MAGIC.length)).equals(MAGIC))
      throw badSignature('it is of another kind or version')
    manifest = await readManifest(stream)
    start = length - stream.buffered
  } finally {
    await stream.close()
  }
  const fd = openToRead(path)
  const end = start + blockBytes(manifest)
  const source = fileSource(fd, end)
  if (fstatSync(fd).size !== end) {
    source.close()
    throw badSignature('it is not as long as its manifest says')
  }
  const starts = new Map<number, number>()
  let at = start
  for (const [index, { type, size }] of manifest.entries.entries()) {
    if (type !== 'file' || blockBytesOf(size) === 0) continue
    starts.set(index, at)
    at += blockBytesOf(size)
  }
  const sizeOf = (index: number) => manifest.entries[index]?.size ?? 0
  const rowsOf = (index: number) => {
    const from = starts.get(index)
    if (from === undefined) return undefined
    const rows = readRange(source, from, from + blockBytesOf(sizeOf(index)))
    if (!rows) throw badSignature('it ends too early')
    return rows
  }
  return {
    manifest,
    rowsOf,
    blocksOf(index) {
      const rows = rowsOf(index)
      return rows && decodeBlocks(rows, sizeOf(index))
    },
    close: () => source.close(),
  }
}
