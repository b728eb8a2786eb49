import { chmodSync, lstatSync, readlinkSync } from 'node:fs'
import { join, relative } from 'node:path'
import { makeSymlink } from '../../attributes/apply.ts'
import { unwritable } from '../../files/file-errors.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'
import type { TorrentLink } from '../../torrent/metainfo/torrent-file.ts'

type Attributed = Pick<Metainfo, 'files' | 'links' | 'singleFile'>

interface Check {
  path: string
  state: 'same' | 'different' | 'missing'
  differences?: string[]
}

/**
 * Makes the symlinks of a torrent and its executable files executable: the attributes that other programs write (BEP 47). When
 * the files were made, no directory on the way to them was a symlink.
 */
export function applyStandardAttributes(root: string, torrent: Attributed): void {
  for (const path of executables(torrent)) onDisk(join(root, path), makeExecutable)
  for (const link of torrent.links)
    onDisk(join(root, ...link.path), (path) => makeSymlink(textOf(link), path))
}

/** The symlinks, and the files that should be executable and are not. */
export function compareStandardAttributes(root: string, torrent: Attributed): Check[] {
  return [
    ...executables(torrent)
      .filter((path) => !isExecutable(join(root, path)))
      .map((path): Check => ({ path, state: 'different', differences: ['not executable'] })),
    ...torrent.links.map((link) => compareLink(root, link)),
  ]
}

/** Below the root, which is the file itself in a torrent of one file. */
const executables = ({ files, singleFile }: Attributed) =>
  files.filter(({ executable }) => executable).map(({ path }) => (singleFile ? '' : path.join('/')))

/** The symlink's text: a path relative to its own directory. */
const textOf = ({ path, target }: TorrentLink) =>
  relative(join('/', ...path, '..'), join('/', ...target)) || '.'

function compareLink(root: string, link: TorrentLink): Check {
  const path = link.path.join('/')
  const now = lstatSync(join(root, path), { throwIfNoEntry: false })
  if (!now) return { path, state: 'missing' }
  const is = now.isSymbolicLink() ? `link to ${readlinkSync(join(root, path))}` : 'no symlink'
  const wanted = `link to ${textOf(link)}`
  return is === wanted
    ? { path, state: 'same' }
    : { path, state: 'different', differences: [`${is}, not ${wanted}`] }
}

/** Executable for all users that may read the file. */
function makeExecutable(path: string): void {
  const mode = lstatSync(path).mode & 0o7777
  chmodSync(path, mode | ((mode & 0o444) >> 2))
}

const isExecutable = (path: string) => ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0

function onDisk(path: string, work: (path: string) => void): void {
  try {
    work(path)
  } catch (cause) {
    throw unwritable(path, cause)
  }
}
