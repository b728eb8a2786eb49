import { closeSync, fstatSync, linkSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'
import { copyAsNew } from './copy-file.ts'
import { draftBeside } from './draft.ts'

/**
 * How files of this user get from one directory (or one below it) to another: as hard links, or as copies where that is not
 * possible, as on another file system. A hard link keeps the group and the ACL of where the file was made, so there are copies
 * too unless new files get the same in both.
 */
export function linkerBetween(from: string, to: string): (file: string, to: string) => Promise<void> {
  const group = ownGroup(to)
  return group !== undefined && group === ownGroup(from) ? linkOrCopy : copyAsNew
}

/** Whether a hard link failed because the file system does not support it there. */
export const refusesLinks = (cause: unknown): boolean =>
  isSystemError(cause, 'EXDEV', 'EPERM', 'EMLINK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')

async function linkOrCopy(file: string, to: string): Promise<void> {
  try {
    linkSync(file, to)
  } catch (cause) {
    if (!refusesLinks(cause)) throw cause
    await copyAsNew(file, to)
  }
}

const NO_MODE = 0o777

/**
 * The group that a new file gets in `directory`; undefined when it also gets an ACL there, or nothing can be made. Node cannot
 * read ACLs, but the umask does not apply where a directory has a default ACL: there a file has a mode in spite of it.
 */
function ownGroup(directory: string): number | undefined {
  const probe = draftBeside(join(directory, 'any'))
  const umask = process.umask(NO_MODE)
  try {
    const fd = openSync(probe, 'wx', 0o666)
    const { gid, mode } = fstatSync(fd)
    closeSync(fd)
    rmSync(probe)
    return (mode & 0o777) === 0 ? gid : undefined
  } catch {
    return undefined
  } finally {
    process.umask(umask)
  }
}
