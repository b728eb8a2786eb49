import { linkSync } from 'node:fs'
import { isSystemError } from '../errors.ts'
import { copyAsNew } from './copy-file.ts'

/** Makes a hard link, or a copy where that is not possible, as on another file system. */
export async function linkOrCopy(file: string, to: string): Promise<void> {
  try {
    linkSync(file, to)
  } catch (cause) {
    if (!isSystemError(cause, 'EXDEV', 'EPERM', 'EMLINK', 'ENOSYS', 'EOPNOTSUPP')) throw cause
    await copyAsNew(file, to)
  }
}
