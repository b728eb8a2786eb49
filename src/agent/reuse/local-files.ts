import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import type { Survey } from '../../torrent/storage/survey.ts'

/** A file on this machine. */
export interface LocalFile {
  path: string
  size: number
  /** For a file in the place of one of the torrent's: where that one starts in the content, and its length. */
  place?: Place
}

export interface Place {
  position: number
  length: number
}

/** No more files than this are searched. */
const MAX_FILES = 1_000_000

/**
 * Files that may have content of the torrent, with their sizes at the start: those in the places of its own, then others of its
 * directory, then those in `from`, which are files or directories. No symlink is followed, and what cannot be read is left out.
 */
export async function localFiles(
  metainfo: Metainfo,
  target: string,
  { from, survey }: { from: readonly string[]; survey: Pick<Survey, 'found'> },
): Promise<LocalFile[]> {
  const found = new Map<string, LocalFile>()
  // They may be longer now than they were.
  for (const [index, { path, place }] of placesOf(metainfo, target).entries()) {
    const { size = 0 } = survey.found[index] ?? {}
    if (size > 0) found.set(path, { path, size, place })
  }
  for (const root of [...(metainfo.singleFile ? [] : [target]), ...from])
    for await (const file of filesIn(root)) {
      if (found.size >= MAX_FILES) break
      if (!found.has(file.path)) found.set(file.path, file)
    }
  return [...found.values()]
}

function placesOf({ files, singleFile }: Metainfo, target: string): { path: string; place: Place }[] {
  let next = 0
  return files.map(({ path, length, padding = 0 }) => {
    const position = next + padding
    next = position + length
    return { path: singleFile ? target : join(target, ...path), place: { position, length } }
  })
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await lstat(path).catch(() => undefined)
  return found?.isFile() && found.size > 0 ? found.size : undefined
}

async function* filesIn(root: string): AsyncGenerator<LocalFile> {
  const size = await sizeOf(root)
  if (size !== undefined) yield { path: root, size }
  const directories = [root]
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) directories.push(path)
      if (!entry.isFile()) continue
      const size = await sizeOf(path)
      if (size !== undefined) yield { path, size }
    }
  }
}
