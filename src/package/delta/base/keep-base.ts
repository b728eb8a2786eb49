import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Entry } from '../../../files/entry.ts'
import { changed, stopIfAborted } from '../../../files/file-errors.ts'
import { openToRead } from '../../../files/open-to-read.ts'
import { writeAll } from '../../../files/write-all.ts'
import type { Delivered, Manifest } from '../format/manifest.ts'
import { blockBytesOf, blockLengthOf, encodeBlocks } from '../match/blocks.ts'
import { fileSource, readRange } from '../match/byte-source.ts'
import { forgetOld, isKept, type KeptBase, keptIds, openKept, SIGNATURE, signaturePath } from './kept-base.ts'
import { ContentWriter, KeptContent } from './kept-content.ts'
import type { KnownHashes } from './known-hashes.ts'
import { manifestOfDirectory } from './manifest-of-directory.ts'
import { signatureHead } from './signature.ts'

const DRAFT = '.new-'
/** Read at a time: whole blocks of any file up to 256 GB. */
const CHUNK_BYTES = 1 << 20

export interface KeepOptions {
  /** Where bases are kept. */
  directory: string
  root: string
  entries: readonly Entry[]
  /** Bytes of content that are kept; of a larger release only the signature is. */
  contentLimit: number
  known?: KnownHashes | undefined
  /** Called once the release's own files are not needed any more. */
  onRead?: () => void
  signal?: AbortSignal | undefined
}

/**
 * Keeps what will be an earlier release, and forgets what is too old. Only files are read that the last base has not, under any
 * name. Throws FILE_CHANGED and what the file system throws.
 */
export async function keepBase(options: KeepOptions): Promise<void> {
  const { directory, root, entries, contentLimit, known, signal } = options
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(directory))
    if (name.startsWith(DRAFT)) rmSync(join(directory, name), { recursive: true, force: true })
  const manifest = await manifestOfDirectory(root, entries, signal, known)
  const size = entries.reduce((sum, each) => sum + each.size, 0)
  const keepsContent = size <= contentLimit
  const [last] = keptIds(directory)
  if (last === manifest.id && isWhole(directory, manifest, keepsContent)) {
    options.onRead?.()
    utimesSync(signaturePath(directory, last), new Date(), new Date())
    return
  }
  const earlier = last === undefined ? undefined : await openKept(directory, last).catch(() => undefined)
  const chain = earlier?.content.isWorthIt(size) ? earlier.content : undefined
  const content = keepsContent ? new ContentWriter(directory, chain) : undefined
  const draft = join(directory, `${DRAFT}${process.pid}`)
  try {
    mkdirSync(draft, { mode: 0o700 })
    await writeDraft(draft, manifest, { ...options, earlier, content })
    options.onRead?.()
    content?.end(draft)
    const place = join(directory, manifest.id)
    rmSync(place, { recursive: true, force: true })
    renameSync(draft, place)
    forgetOld(directory, manifest.id)
  } catch (error) {
    content?.discard()
    throw error
  } finally {
    earlier?.close()
    rmSync(draft, { recursive: true, force: true })
  }
}

/** Whether this base is kept as it shall be. */
function isWhole(directory: string, { id, entries }: Manifest, keepsContent: boolean): boolean {
  if (!isKept(directory, id)) return false
  const { places } = KeptContent.of(directory, id)
  return (
    !keepsContent ||
    entries.every(({ sha256, size }) => sha256 === undefined || size === 0 || places.has(sha256))
  )
}

interface DraftOptions extends KeepOptions {
  earlier: KeptBase | undefined
  content: ContentWriter | undefined
}

/** Writes the signature, and the content that is not there yet. */
async function writeDraft(
  draft: string,
  manifest: Manifest,
  { root, earlier, content, signal }: DraftOptions,
) {
  const rowsOf = rowsByContent(earlier)
  const fd = openSync(join(draft, SIGNATURE), 'wx', 0o600)
  try {
    for await (const part of signatureHead(manifest)) writeAll(fd, part)
    for (const entry of manifest.entries) {
      stopIfAborted(signal)
      if (entry.type !== 'file' || entry.size === 0) continue
      const rows = rowsOf(entry)
      const needsContent = content?.has(entry) === false
      if (rows) writeAll(fd, rows)
      if (needsContent) content.begin(entry)
      if (!needsContent && (rows || blockBytesOf(entry.size) === 0)) continue
      for (const bytes of contentOf(root, entry)) {
        stopIfAborted(signal)
        if (needsContent) content.write(bytes)
        if (!rows && blockBytesOf(entry.size) > 0) writeAll(fd, encodeBlocks(bytes, entry.size))
      }
    }
  } finally {
    closeSync(fd)
  }
}

/** Finds rows of blocks that an earlier base has, of a file with the same content. */
function rowsByContent(earlier: KeptBase | undefined): (entry: Delivered) => Buffer | undefined {
  const indices = new Map<string, number>()
  for (const [index, { sha256 }] of earlier?.manifest.entries.entries() ?? [])
    if (sha256 !== undefined) indices.set(sha256, index)
  return ({ sha256 = '', size }) => {
    const index = indices.get(sha256)
    if (index === undefined || earlier?.manifest.entries[index]?.size !== size) return undefined
    return earlier.rowsOf(index)
  }
}

/** The content that its SHA-256 was made of, in whole blocks. Throws FILE_CHANGED at its end. */
function* contentOf(root: string, { path, source, size, sha256 }: Delivered): Generator<Buffer> {
  const file = fileSource(openToRead(source ?? join(root, path)), size)
  const hash = createHash('sha256')
  const length = Math.max(blockLengthOf(size), CHUNK_BYTES)
  try {
    for (let at = 0; at < size; at += length) {
      const bytes = readRange(file, at, Math.min(size, at + length))
      if (!bytes) throw changed(path, 'changed its size')
      hash.update(bytes)
      yield bytes
    }
  } finally {
    file.close()
  }
  if (hash.digest('hex') !== sha256) throw changed(path, 'changed')
}
