import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { makeOwnInode } from '../files/own-inode.ts'
import { compareManifest } from './compare.ts'
import type { Manifest } from './entry.ts'

/**
 * Gives a file that is to get other attributes an inode of its own, when it has more hard links than the manifest says. So a
 * backup made of hard links keeps its attributes, and two names of one file can become different files. Returns whether it
 * changed any: then the hard links of the manifest must be made again.
 */
export async function separateHardLinks(root: string, manifest: Manifest): Promise<boolean> {
  const { entries } = manifest
  const names = new Map<string, number>()
  for (const { path, hardlink = path } of entries) names.set(hardlink, (names.get(hardlink) ?? 0) + 1)
  const shared = entries.filter(
    ({ path, type, hardlink }) =>
      type !== 'directory' &&
      hardlink === undefined &&
      lstatSync(join(root, path)).nlink > (names.get(path) ?? 0),
  )
  if (shared.length === 0) return false
  const checks = await compareManifest(root, { ...manifest, entries: shared })
  const different = checks.filter(({ state }) => state !== 'same')
  for (const { path } of different) await makeOwnInode(join(root, path))
  return different.length > 0
}
