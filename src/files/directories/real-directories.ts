import { lstatSync } from 'node:fs'
import { sep } from 'node:path'
import { nameOf, parentOf } from '../entry.ts'
import { realPath } from './real-path.ts'

/** Where a directory below `from` really is; undefined when it is missing, or it or one above it is outside. */
export function realDirectories(from: string): (path: string) => string | undefined {
  const known = new Map<string, string | undefined>([['.', realPath(from)]])
  const root = known.get('.')
  const isInside = (real: string | undefined) =>
    real === root || real?.startsWith(root === sep ? sep : root + sep) === true
  const directoryOf = (path: string): string | undefined => {
    if (known.has(path)) return known.get(path)
    const parent = directoryOf(parentOf(path))
    // One look at the last name: those before it are known.
    const real =
      parent === undefined ? undefined : realName(`${parent === sep ? '' : parent}/${nameOf(path)}`)
    known.set(path, isInside(real) ? real : undefined)
    return known.get(path)
  }
  return directoryOf
}

/** Of a name in a directory that is no link. */
function realName(path: string): string | undefined {
  try {
    const stats = lstatSync(path)
    return stats.isDirectory() ? path : stats.isSymbolicLink() ? realPath(path) : undefined
  } catch {
    return undefined
  }
}
