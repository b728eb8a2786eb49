import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { copyAsNew } from '../../files/copy-file.ts'
import { realDirectories } from '../../files/directories/real-directories.ts'
import { parentOf } from '../../files/entry.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import { isFileOf } from './earlier-reader.ts'

/**
 * Copies those files of an earlier release that have the path and size of one in `files`. Blocks are shared where the file
 * system can do that (reflink). There are no hard links, because the two releases would change together. A wrong guess does
 * no harm, because every piece is verified by its hash.
 *
 * Returns how many bytes it copied. Throws DISK_FULL, NOT_WRITABLE or INTERRUPTED, and then leaves nothing behind. Files that
 * cannot be read are left out.
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
      if (source === undefined || length === 0 || !isFileOf(length, () => lstatSync(source))) continue
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

/** Whether it was copied. The copy's directory is this user's own, so only reading the source can be refused. */
async function copy(source: string, target: string): Promise<boolean> {
  try {
    await copyAsNew(source, target)
    return true
  } catch (cause) {
    if (!isSystemError(cause, 'EACCES', 'EPERM', 'ENOENT', 'EIO')) throw cause
    rmSync(target, { force: true })
    return false
  }
}
