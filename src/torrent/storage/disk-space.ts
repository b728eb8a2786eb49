import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { bytes } from '../../text/format.ts'

/** A transfer that cannot fit is refused before it begins. `where` may not exist yet. */
export async function refuseFullDisk(where: string, needed: number): Promise<void> {
  const free = await freeBytes(where)
  if (needed <= free) return
  throw new MurderError(
    'DISK_FULL',
    `the disk of ${where} is too full: ${bytes(needed)} are still to come and ${bytes(free)} are free`,
    { cure: 'free some space and run it again; nothing was changed' },
  )
}

/** What is needed on the disk of `where`, and what is free there if that is known: the end of a sentence. */
export async function roomFor(needed: number, where: string): Promise<string> {
  const free = await freeBytes(where)
  return `${bytes(needed)}${Number.isFinite(free) ? `, and ${bytes(free)} are free` : ''}`
}

/** What this user may still write; infinite where that is not known. */
async function freeBytes(where: string): Promise<number> {
  try {
    const { blocks, bfree, bavail, bsize } = await statfs(where)
    // Some network file systems don't know.
    if (blocks === 0) return Number.POSITIVE_INFINITY
    return (process.geteuid?.() === 0 ? bfree : bavail) * bsize
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR') && dirname(where) !== where)
      return freeBytes(dirname(where))
    // Writing will tell.
    if (isSystemError(error, 'EACCES', 'ENOSYS', 'EINVAL')) return Number.POSITIVE_INFINITY
    throw error
  }
}
