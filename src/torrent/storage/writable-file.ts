import { constants, fstatSync } from 'node:fs'
import { chmod, type FileHandle, lstat, open, rmdir, unlink } from 'node:fs/promises'
import { isSystemError } from '../../errors.ts'
import { makeOwnInode } from '../../files/own-inode.ts'

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = constants
/** Windows does not have it. */
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0

/** Opens a seeder's content, which is not changed in any way. */
export const openToRead = (path: string): Promise<FileHandle> => open(path, O_RDONLY)

/** Opens a peer's content. Fails with ELOOP for a symlink. */
export const openOwnToRead = (path: string): Promise<FileHandle> =>
  despiteItsMode(path, () => open(path, O_RDONLY | O_NOFOLLOW))

/**
 * Opens a file to change it, or makes it with this mode (less the umask). Never writes through a symlink (it fails with
 * ELOOP), and never into a file that has other names: if there are several hard links, this one becomes a file of its own.
 */
export async function openToWrite(path: string, mode: number): Promise<FileHandle> {
  const handle = await openOrMake(path, mode)
  if (fstatSync(handle.fd).nlink <= 1) return handle
  await handle.close()
  await makeOwnInode(path)
  return open(path, O_RDWR | O_NOFOLLOW)
}

async function openOrMake(path: string, mode: number): Promise<FileHandle> {
  try {
    return await despiteItsMode(path, () => open(path, O_RDWR | O_NOFOLLOW))
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
  }
}

/**
 * Opens a file of this user even if its mode forbids that, which an earlier run may have set. The mode is set again when the
 * content is complete.
 */
async function despiteItsMode(path: string, openIt: () => Promise<FileHandle>): Promise<FileHandle> {
  try {
    return await openIt()
  } catch (error) {
    if (!isSystemError(error, 'EACCES')) throw error
    const found = await lstat(path)
    if (!found.isFile() || found.uid !== process.geteuid?.()) throw error
    await chmod(path, found.mode | 0o600)
    return openIt()
  }
}

/** Removes files that contain only holes, and directories that are empty then. Others stay. */
export async function removeUnfilled(paths: string[]): Promise<void> {
  for (const path of paths) {
    const found = await lstat(path).catch(() => undefined)
    if (found?.isDirectory()) await rmdir(path).catch(() => {})
    else if (found?.isFile() && found.blocks === 0) await unlink(path).catch(() => {})
  }
}

/** Gives this user write permission in a directory that it owns, if it exists. */
export async function makeUsable(path: string): Promise<void> {
  const found = await lstat(path).catch((error) => {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  })
  if (!found?.isDirectory()) return
  const { mode, uid } = found
  if (uid === process.geteuid?.() && (mode & 0o700) !== 0o700) await chmod(path, mode | 0o700)
}
