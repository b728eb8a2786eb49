import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Remaining, removeWhatCanBe } from '../../files/directories/remove-tree.ts'

/**
 * Removes everything below `root` but these paths and the directories that lead to them. Symlinks are removed, never
 * followed. Returns what could not be removed.
 */
export function removeOthers(root: string, paths: Iterable<string>): Remaining[] {
  const keep = new Set<string>()
  for (const path of paths) {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) keep.add(path.slice(0, end))
  }
  const stays: Remaining[] = []
  const visit = (under: string): void => {
    for (const entry of readdirSync(join(root, under), { withFileTypes: true })) {
      const path = under === '' ? entry.name : `${under}/${entry.name}`
      if (!keep.has(path)) stays.push(...removeWhatCanBe(join(root, path)))
      else if (entry.isDirectory()) visit(path)
    }
  }
  visit('')
  return stays
}
