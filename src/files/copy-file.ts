import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  statSync,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'

/** The bits with which a program does not run as its owner or its group. */
const PLAIN_MODE = 0o777

/**
 * Copies a file to `to`, where nothing may be, as a new file of this user: with the owner, group and default ACL that files
 * made there get, and without setuid and setgid. Blocks are shared where the file system can do that (reflink). Node's own
 * copyFile does not do this alone: from libuv 1.50 on (in Node 22 and 24) it gives root's copy the owner of the source.
 */
export async function copyAsNew(from: string, to: string): Promise<void> {
  const fd = openSync(to, 'wx', 0o600)
  const { uid, gid } = fstatSync(fd)
  closeSync(fd)
  await copyFile(from, to, constants.COPYFILE_FICLONE)
  const copy = statSync(to)
  if (copy.uid !== uid || copy.gid !== gid) chownSync(to, uid, gid)
  if ((copy.mode & 0o7777) !== (copy.mode & PLAIN_MODE)) chmodSync(to, copy.mode & PLAIN_MODE)
}

/**
 * Makes a new file of this user at `to`, with mode 0600, that shares the blocks of `from`. Throws the system's error where that
 * is impossible, and may then leave something at `to`.
 */
export function shareBlocks(from: string, to: string): void {
  const fd = openSync(to, 'wx', 0o600)
  try {
    const { uid, gid } = fstatSync(fd)
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE)
    fchownSync(fd, uid, gid)
    fchmodSync(fd, 0o600)
  } finally {
    closeSync(fd)
  }
}
