import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, MurderError, reason } from '../errors.ts'
import { shown } from './entry.ts'

/** Removes `path` and all below it, including read-only directories. Follows no symlink. */
export function removeTree(path: string): void {
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

/** Something that could not be removed, and the system's error. */
export interface Remaining {
  path: string
  cause: unknown
}

/**
 * Removes as much of `path` as this user can. Gives what stays: the things themselves, such as a mount point or a file in a
 * directory of another user, not the directories that stay only because of them.
 */
export function removeWhatCanBe(path: string): Remaining[] {
  try {
    removeTree(path)
    return []
  } catch (cause) {
    const inside = namesIn(path).flatMap((name) => removeWhatCanBe(join(path, name)))
    return inside.length > 0 ? inside : [{ path, cause }]
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return [] // It is no directory, or an unreadable one, which then is what stays.
  }
}

/** Throws NOT_REMOVED when something stays of what was to be removed after all else was done. */
export function assertRemoved([first, ...more]: Remaining[]): void {
  if (!first) return
  const others = more.length > 0 ? ` (and ${more.length} more)` : ''
  throw new MurderError(
    'NOT_REMOVED',
    `the new files are complete and in place, but ${shown(first.path)}${others} could not be removed: ${reason(first.cause)}`,
    { cure: 'remove it by hand, or do not ask for the removal of other files', cause: first.cause },
  )
}
