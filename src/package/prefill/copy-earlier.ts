import { constants, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { parentOf } from '../../files/entry.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import { realDirectories } from './earlier-release.ts'

/**
 * Copies what an earlier release may have of a directory's files: those of the same path and size. Blocks are shared
 * where the file system can do that (reflink). Never a second name for the same file: the two releases would change
 * together. A wrong guess does no harm: every piece is verified by its hash.
 *
 * Gives how many bytes it copied. Throws DISK_FULL, NOT_WRITABLE or INTERRUPTED, and then leaves nothing behind; what
 * cannot be read of `from` is left out.
 */
export async function copyEarlier(options: {
  from: string
  into: string
  files: { path: string[]; length: number }[]
  signal?: AbortSignal
}): Promise<number> {
  const { from, into, files, signal } = options
  const directoryOf = realDirectories(from)
  let copied = 0
  try {
    mkdirSync(into, { mode: 0o700 })
    for (const { path: parts, length } of files) {
      stopIfAborted(signal)
      const path = parts.join('/')
      const directory = directoryOf(parentOf(path))
      const source = directory === undefined ? undefined : join(directory, basename(path))
      if (source === undefined || length === 0 || !isFileOf(source, length)) continue
      const target = join(into, path)
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
      if (await copy(source, target)) copied += length
    }
  } catch (cause) {
    rmSync(into, { recursive: true, force: true })
    throw unwritable(into, cause)
  }
  return copied
}

function isFileOf(path: string, size: number): boolean {
  try {
    const stats = lstatSync(path)
    return stats.isFile() && stats.size === size
  } catch {
    return false
  }
}

/** Whether it was copied: the directory of the copy is this user's own, so what is refused is the source. */
async function copy(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE)
    return true
  } catch (cause) {
    if (!isSystemError(cause, 'EACCES', 'EPERM', 'ENOENT', 'EIO')) throw cause
    rmSync(target, { force: true })
    return false
  }
}
