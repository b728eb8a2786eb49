import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * `mkdir -p`; returns the directories that it made, outer ones first. It goes level by level, because Node's own recursive mkdir
 * never returns on file systems that always answer ENOENT, such as /proc.
 */
export function makeDirectory(path: string, mode = 0o777): string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return []
  const above = stat ? [] : makeDirectory(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
    return [...above, path]
  } catch (error) {
    // Another process may have made it at the same moment.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
    return above
  }
}
