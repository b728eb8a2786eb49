import { constants, linkSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { isSystemError } from '../errors.ts'

/** A second name for a file, or a copy where it can't have one: on another file system, for example. */
export async function linkOrCopy(file: string, to: string): Promise<void> {
  try {
    linkSync(file, to)
  } catch (cause) {
    if (!isSystemError(cause, 'EXDEV', 'EPERM', 'EMLINK', 'ENOSYS', 'EOPNOTSUPP')) throw cause
    await copyFile(file, to, constants.COPYFILE_FICLONE)
  }
}
