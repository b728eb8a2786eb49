import { constants, linkSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { isSystemError } from '../errors.ts'

/** Makes a hard link, or a copy where that is not possible, as on another file system. */
export async function linkOrCopy(file: string, to: string): Promise<void> {
  try {
    linkSync(file, to)
  } catch (cause) {
    if (!isSystemError(cause, 'EXDEV', 'EPERM', 'EMLINK', 'ENOSYS', 'EOPNOTSUPP')) throw cause
    await copyFile(file, to, constants.COPYFILE_FICLONE)
  }
}
