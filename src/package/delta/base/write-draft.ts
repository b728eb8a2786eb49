import { closeSync, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { changed, stopIfAborted } from '../../../files/file-errors.ts'
import { openToRead } from '../../../files/open-to-read.ts'
import { writeAll } from '../../../files/write-all.ts'
import type { Delivered, Manifest } from '../format/manifest.ts'
import { blockBytesOf } from '../match/blocks.ts'
import { fileSource } from '../match/byte-source.ts'
import { Room } from '../match/scratch.ts'
import { type NewFile, type Sharing, writeRows } from './block-rows.ts'
import { type KeptBase, SIGNATURE } from './kept-base.ts'
import type { ContentWriter } from './kept-content.ts'
import type { SharedRun } from './shared-runs.ts'
import { signatureHead } from './signature.ts'

/** Read at a time: whole blocks of any file up to 256 GB. */
const CHUNK_BYTES = 1 << 20

const chunk = new Room()

export interface DraftOptions {
  /** Where the release's files are. */
  root: string
  manifest: Manifest
  /** The base that was kept last. */
  earlier: KeptBase | undefined
  /** What files share with it, by path. */
  runs: ReadonlyMap<string, readonly SharedRun[]>
  /** Undefined if only the signature is kept. */
  content: ContentWriter | undefined
  signal: AbortSignal | undefined
}

/**
 * Writes the signature, and the content that is not there yet. Of files only that is read which the earlier base has not. Throws
 * FILE_CHANGED.
 */
export async function writeDraft(draft: string, options: DraftOptions): Promise<void> {
  const { root, manifest, earlier, runs, content, signal } = options
  const rowsOf = rowsByContent(earlier)
  const fd = openSync(join(draft, SIGNATURE), 'wx', 0o600)
  try {
    for await (const part of signatureHead(manifest)) writeAll(fd, part)
    for (const entry of manifest.entries) {
      stopIfAborted(signal)
      if (entry.type !== 'file' || entry.size === 0) continue
      const known = rowsOf(entry)
      const needsContent = content?.has(entry) === false
      if (known) writeAll(fd, known)
      const needsRows = !known && blockBytesOf(entry.size) > 0
      if (!needsContent && !needsRows) continue
      const file = openNew(root, entry)
      try {
        const shared = runs.get(entry.path) ?? [{ length: entry.size }]
        if (needsContent) writeContent(content, file, { shared, earlier, signal })
        if (needsRows) writeRows(fd, file, { shared, earlier, signal })
        file.assertSame()
      } finally {
        file.close()
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

function writeContent(content: ContentWriter, file: NewFile, { shared, earlier, signal }: Sharing): void {
  content.begin(file.entry)
  let at = 0
  for (const { length, from } of shared) {
    const base = from && earlier?.manifest.entries[from.file]
    if (base && content.mayShare(base)) content.share(base, from.offset, length)
    else
      for (const bytes of file.parts(at, at + length, CHUNK_BYTES)) {
        stopIfAborted(signal)
        content.write(bytes)
      }
    at += length
  }
}

/** A file whose hash was just computed, or known. `assertSame` throws FILE_CHANGED if it has changed since it was listed. */
function openNew(root: string, entry: Delivered): NewFile & { assertSame(): void; close(): void } {
  const { path, size, mtime } = entry
  const fd = openToRead(entry.source ?? join(root, path))
  const source = fileSource(fd, size)
  return {
    entry,
    *parts(start, end, most) {
      for (let at = start; at < end; at += most) {
        const bytes = chunk.take(Math.min(most, end - at))
        if (source.read(bytes, at) < bytes.length) throw changed(path, 'changed its size')
        yield bytes
      }
    },
    assertSame() {
      const stats = fstatSync(fd, { bigint: true })
      if (Number(stats.size) !== size || stats.mtimeNs !== mtime) throw changed(path, 'changed')
    },
    close: () => source.close(),
  }
}
