import { chmodSync, lstatSync, readdirSync, realpathSync, rmSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isSystemError, MurderError, reason } from '../../errors.ts'
import { shown } from '../entry.ts'
import { mountPointsBelow } from './mount-points.ts'

/** Removes `path` and all below it, including read-only directories. Follows no symlink. */
export function removeTree(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  // Of a file that may not be removed rmSync says that it is no directory.
  if (stat && !stat.isDirectory()) return unlinkSync(path)
  try {
    rmSync(path, { recursive: true, force: true })
  } catch (cause) {
    if (!isSystemError(cause, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw cause
    openDirectories(path)
    rmSync(path, { recursive: true, force: true })
  }
}

function openDirectories(path: string): void {
  if (!lstatSync(path).isDirectory()) return
  chmodSync(path, 0o700)
  for (const name of readdirSync(path)) openDirectories(join(path, name))
}

/** Something that could not be removed, and why. */
export interface Remaining {
  path: string
  cause: unknown
}

/**
 * Removes as much of `path` as this user can, but nothing behind a mount: that is not ours. Returns what stays, such as a mount
 * point or a file in another user's directory, but not the directories that stay only because of these.
 */
export function removeWhatCanBe(path: string): Remaining[] {
  const mounts = mountsIn(path)
  if (mounts === 'itself') return [{ path, cause: new Error('something is mounted there') }]
  let cause: unknown
  try {
    if (mounts === 'none') {
      removeTree(path)
      return []
    }
  } catch (error) {
    cause = error
  }
  const inside = namesIn(path).flatMap((name) => removeWhatCanBe(join(path, name)))
  return inside.length > 0 ? inside : [{ path, cause }]
}

/** Where in `path` something is mounted. */
function mountsIn(path: string): 'none' | 'itself' | 'below' {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return 'none' // The system keeps a file where one is mounted.
  const name = Buffer.from(basename(path)).toString('latin1')
  const points = [...mountPointsBelow(realpathSync(dirname(path)))]
  if (points.includes(name)) return 'itself'
  return points.some((point) => point.startsWith(`${name}/`)) ? 'below' : 'none'
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return [] // Not a directory, or an unreadable one, which then stays.
  }
}

/** Throws NOT_REMOVED when something could not be removed. All else was done before. */
export function assertRemoved([first, ...more]: Remaining[]): void {
  if (!first) return
  const others = more.length > 0 ? ` (and ${more.length} more)` : ''
  throw new MurderError(
    'NOT_REMOVED',
    `the new files are complete and in place, but ${shown(first.path)}${others} could not be removed: ${reason(first.cause)}`,
    { cure: 'remove it by hand, or do not ask for the removal of other files', cause: first.cause },
  )
}
