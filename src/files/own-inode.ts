import { constants } from 'node:fs'
import { chmod, copyFile, lstat, mkdtemp, readlink, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Replaces a hard link by a copy (copy-on-write where the file system can do that). The copy of another user's setuid program
 * would be a setuid program of this user for a moment, so it is made where no other user can reach it.
 */
export async function makeOwnInode(path: string): Promise<void> {
  const { mode } = await lstat(path)
  const hidden = await mkdtemp(`${path.slice(0, path.lastIndexOf('/') + 1)}.murder-`)
  const copy = join(hidden, 'copy')
  try {
    if ((mode & constants.S_IFMT) === constants.S_IFLNK) await symlink(await readlink(path), copy)
    else {
      await copyFile(path, copy, constants.COPYFILE_FICLONE)
      await chmod(copy, mode & 0o777)
    }
    await rename(copy, path)
  } finally {
    await rm(hidden, { recursive: true, force: true })
  }
}
