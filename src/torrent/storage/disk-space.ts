import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { bytes } from '../../text/format.ts'

/** Throws when `needed` bytes do not fit on the disk. `where` may not exist yet. */
export async function refuseFullDisk(where: string, needed: number): Promise<void> {
  const free = await freeBytes(where)
  if (needed <= free) return
  throw new MurderError(
    'DISK_FULL',
    `the disk of ${where} is too full: ${bytes(needed)} are still to come and ${bytes(free)} are free`,
    { cure: 'free some space and run it again; nothing was changed' },
  )
}

/** The end of a sentence: the bytes that are needed, and those that are free on the disk of `where`, if known. */
export async function roomFor(needed: number, where: string): Promise<string> {
  const free = await freeBytes(where)
  return `${bytes(needed)}${Number.isFinite(free) ? `, and ${bytes(free)} are free` : ''}`
}

/** Bytes that this user may still write; infinite where that is not known. */
async function freeBytes(where: string): Promise<number> {
  try {
    const { blocks, bfree, bavail, bsize } = await statfs(where)
    // Some network file systems do not know their size.
    if (blocks === 0) return Number.POSITIVE_INFINITY
    return (process.geteuid?.() === 0 ? bfree : bavail) * bsize
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR') && dirname(where) !== where)
      return freeBytes(dirname(where))
    // Then writing will fail if there is no room.
    if (isSystemError(error, 'EACCES', 'ENOSYS', 'EINVAL')) return Number.POSITIVE_INFINITY
    throw error
  }
}
