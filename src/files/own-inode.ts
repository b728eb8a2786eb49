import { constants } from 'node:fs'
import { lstat, mkdtemp, readlink, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { copyAsNew } from './copy-file.ts'

/**
 * Replaces a hard link by a copy. The copy of another user's setuid program would be a setuid program of this user for a
 * moment, so it is made where no other user can reach it.
 */
export async function makeOwnInode(path: string): Promise<void> {
  const { mode } = await lstat(path)
  const hidden = await mkdtemp(`${path.slice(0, path.lastIndexOf('/') + 1)}.murder-`)
  const copy = join(hidden, 'copy')
  try {
    if ((mode & constants.S_IFMT) === constants.S_IFLNK) await symlink(await readlink(path), copy)
    else await copyAsNew(path, copy)
    await rename(copy, path)
  } finally {
    await rm(hidden, { recursive: true, force: true })
  }
}
