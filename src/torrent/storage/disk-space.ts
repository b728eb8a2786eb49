import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { bytes } from '../../text/format.ts'

/** Throws when the missing bytes do not fit on the disk, neither by estimate nor by exact count. */
export async function refuseFullDisk(
  where: string,
  estimate: number,
  count = async () => estimate,
): Promise<void> {
  const free = await freeBytes(where)
  if (estimate <= free) return
  const needed = Math.min(estimate, await count())
  if (needed <= free) return
  throw new MurderError(
    'DISK_FULL',
    `the disk of ${where} is too full: ${bytes(needed)} are still to come and ${bytes(free)} are free`,
    { cure: 'free some space and run it again; nothing was changed' },
  )
}

/** The end of a sentence: the bytes that are needed, and those that are free on the disk of `where`, if known. */
export async function roomFor(needed: number, where: string): Promise<string> {
  const [free, inodes] = [await freeBytes(where), await freeInodes(where)]
  const without = inodes === 0 ? ', but no inodes: there are too many files' : ''
  return `${bytes(needed)}${Number.isFinite(free) ? `, and ${bytes(free)} are free` : ''}${without}`
}

/** Bytes that this user may still write, infinite where unknown; and all bytes in use. */
export async function diskSpace(where: string): Promise<{ free: number; used: number }> {
  const { blocks = 0, bfree = 0, bavail = 0, bsize = 0 } = (await nearestStatfs(where)) ?? {}
  // Some network file systems do not know their size.
  if (blocks === 0) return { free: Number.POSITIVE_INFINITY, used: 0 }
  return { free: (process.geteuid?.() === 0 ? bfree : bavail) * bsize, used: (blocks - bfree) * bsize }
}

const freeBytes = async (where: string): Promise<number> => (await diskSpace(where)).free

/** How many more files fit; infinite where that is not known, or not limited. */
async function freeInodes(where: string): Promise<number> {
  const { files = 0, ffree = 0 } = (await nearestStatfs(where)) ?? {}
  return files === 0 ? Number.POSITIVE_INFINITY : ffree
}

/** The file system of `where`, or of the nearest directory above it that exists; undefined where the system does not say. */
async function nearestStatfs(where: string): Promise<StatsFs | undefined> {
  try {
    return await statfs(where)
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR') && dirname(where) !== where)
      return nearestStatfs(dirname(where))
    // Then writing will fail if there is no room.
    if (isSystemError(error, 'EACCES', 'ENOSYS', 'EINVAL')) return undefined
    throw error
  }
}
