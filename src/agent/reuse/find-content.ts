import { createHash } from 'node:crypto'
import { setImmediate as breath } from 'node:timers/promises'
import { openToRead } from '../../files/open-to-read.ts'
import { type ByteSource, fileSource } from '../../package/delta/match/byte-source.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import type { Storage } from '../../torrent/storage/storage.ts'
import { BlockSearch } from './block-search.ts'
import type { LocalFile } from './local-files.ts'
import type { ContentSignature } from './signature.ts'

/** Content that a local file has. Lengths and offsets in bytes. */
export interface Part {
  position: number
  length: number
  file: LocalFile
  offset: number
}

/** So many bytes are searched for each missing byte: then the search takes about as long as fetching at 100 Mbit/s. */
const SEARCHED_BYTES_PER_BYTE = 16
const MIN_SEARCHED_BYTES = 512 << 20
const CHUNK_BYTES = 1 << 20

interface Search {
  metainfo: Metainfo
  signature: ContentSignature
  storage: Pick<Storage, 'layout'>
  files: readonly LocalFile[]
  /** The blocks that are looked for, in order. */
  blocks: readonly number[]
}

/** Finds blocks in local files: in files that are here whole, under any name, else at any offset. */
export async function findContent(search: Search): Promise<Map<number, Part[]>> {
  const found = new Map<number, Part[]>()
  const whole = await wholeFiles(search)
  for (const block of search.blocks) {
    const parts = partsOf(block, search, whole)
    if (parts) found.set(block, parts)
  }
  await searchBlocks(search, found)
  return found
}

/** For each file of the torrent that is here whole: where it is. */
async function wholeFiles({
  metainfo,
  signature,
  storage,
  files,
  blocks,
}: Search): Promise<Map<number, Part>> {
  const { blockLength } = signature
  const ofSize = new Map<number, Set<number>>()
  for (const block of blocks) {
    for (const index of storage.layout.filesOf(block * blockLength, blockLength)) {
      const { length = 0 } = metainfo.files[index] ?? {}
      ofSize.set(length, (ofSize.get(length) ?? new Set()).add(index))
    }
  }
  const starts = startsOf(metainfo)
  const found = new Map<number, Part>()
  for (const file of files) {
    const wanted = ofSize.get(file.size)
    const digest = wanted && (await digestOf(file))
    for (const index of digest ? (wanted ?? []) : []) {
      if (digest?.compare(signature.digestOf(index), 0, undefined, 0, signature.digestOf(index).length) !== 0)
        continue
      found.set(index, { position: starts[index] as number, length: file.size, file, offset: 0 })
      wanted?.delete(index)
    }
  }
  return found
}

function startsOf({ files }: Metainfo): number[] {
  let position = 0
  return files.map(({ length, padding = 0 }) => {
    const start = position + padding
    position = start + length
    return start
  })
}

/** The parts of a block that lies in files which are here whole. */
function partsOf(
  block: number,
  { metainfo, signature, storage }: Search,
  whole: ReadonlyMap<number, Part>,
): Part[] | undefined {
  const start = block * signature.blockLength
  const end = Math.min(metainfo.length, start + signature.blockLength)
  const parts: Part[] = []
  for (const index of storage.layout.filesOf(start, end - start)) {
    const file = whole.get(index)
    if (!file) return undefined
    const from = Math.max(start, file.position)
    const to = Math.min(end, file.position + file.length)
    parts.push({ position: from, length: to - from, file: file.file, offset: from - file.position })
  }
  return parts
}

async function searchBlocks({ metainfo, signature, files, blocks }: Search, found: Map<number, Part[]>) {
  const { blockLength } = signature
  const wanted = blocks.filter((block) => !found.has(block) && (block + 1) * blockLength <= metainfo.length)
  const search = new BlockSearch(signature, wanted)
  let left = Math.max(MIN_SEARCHED_BYTES, SEARCHED_BYTES_PER_BYTE * wanted.length * blockLength)
  for (const file of files) {
    if (search.isOver || left <= 0) return
    if (file.size < blockLength) continue
    await withFile(file, async (source) => {
      for (const run of search.in(source)) {
        if (!run) await breath()
        for (const block of run?.blocks ?? [])
          found.set(block, [
            { position: block * blockLength, length: blockLength, file, offset: run?.offset ?? 0 },
          ])
      }
      return true
    })
    left -= file.size
  }
}

async function digestOf(file: LocalFile): Promise<Buffer | undefined> {
  return withFile(file, async (source) => {
    const hash = createHash('sha256')
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, file.size))
    for (let at = 0; at < file.size; at += chunk.length) {
      hash.update(chunk.subarray(0, source.read(chunk, at)))
      if (at > 0) await breath()
    }
    return hash.digest()
  })
}

/** Undefined when it cannot be read. */
async function withFile<T>(
  { path, size }: LocalFile,
  use: (source: ByteSource) => Promise<T>,
): Promise<T | undefined> {
  let source: ByteSource
  try {
    source = fileSource(openToRead(path), size)
  } catch {
    return undefined
  }
  try {
    return await use(source)
  } catch {
    return undefined
  } finally {
    source.close()
  }
}
