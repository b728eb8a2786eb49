import { join, sep } from 'node:path'
import { realPath } from './real-path.ts'

/** Where a directory below `from` really is; undefined when it is missing or outside. */
export function realDirectories(from: string): (path: string) => string | undefined {
  const known = new Map<string, string | undefined>()
  const root = realPath(from)
  return (path) => {
    if (root === undefined) return undefined
    if (known.has(path)) return known.get(path)
    const real = realPath(join(root, path))
    const inside = real === root || real?.startsWith(root === sep ? root : root + sep)
    known.set(path, inside ? real : undefined)
    return known.get(path)
  }
}
