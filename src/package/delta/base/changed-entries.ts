import { lstatSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../../errors.ts'
import { stopIfAborted } from '../../../files/file-errors.ts'
import { sha256OfFile } from '../../../files/hash.ts'
import type { Delivered, Manifest } from '../format/manifest.ts'

export interface ChangedEntry {
  path: string
  state: 'missing' | 'different'
}

/**
 * Entries of a release that differ from what was delivered: files by their content, symlinks by their target. Modes and times may
 * have changed, and additional files are the server's own. Throws when `signal` aborts.
 */
export async function* changedEntries(
  { entries }: Manifest,
  root: string,
  signal?: AbortSignal,
): AsyncGenerator<ChangedEntry> {
  for (const entry of entries) {
    stopIfAborted(signal)
    const path = join(root, entry.path)
    const found = statsOf(path)
    if (found === undefined) yield { path: entry.path, state: 'missing' }
    else if (!(await isSame(entry, path, found, signal))) yield { path: entry.path, state: 'different' }
  }
}

function statsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

async function isSame(entry: Delivered, path: string, found: Stats, signal?: AbortSignal): Promise<boolean> {
  if (entry.type === 'directory') return found.isDirectory()
  if (entry.type === 'symlink') return found.isSymbolicLink() && readlinkSync(path) === entry.linkname
  if (!found.isFile() || found.size !== entry.size) return false
  return (await sha256OfFile(path, signal)) === entry.sha256
}
