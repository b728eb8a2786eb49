import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { draftBeside } from './draft.ts'

/**
 * Writes a file beside its place and renames it: a reader sees the old content or the whole new one. With `fsync` it also
 * survives a power cut from then on. An error names `path`, and then nothing has changed there.
 */
export function writeWhole(
  path: string,
  content: Uint8Array | string,
  { mode = 0o666, fsync = false }: { mode?: number; fsync?: boolean } = {},
): void {
  const draft = draftBeside(path)
  try {
    // Never through a symlink that somebody put there.
    const fd = openSync(draft, 'wx', mode)
    try {
      writeFileSync(fd, content)
      if (fsync) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(draft, path)
    if (fsync) syncDirectory(dirname(path))
  } catch (error) {
    rmSync(draft, { force: true })
    throw Object.assign(error as Error, { path, dest: path })
  }
}

/** The new name is kept by its directory. */
function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
