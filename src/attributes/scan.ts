import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import ignore from 'ignore'
import { MurderError, reason } from '../errors.ts'
import { MAX_PATH_BYTES, shown, sortEntries } from '../files/entry.ts'
import { defined } from '../system/defined.ts'
import { aclNames as namesInAcls } from './acl.ts'
import { MANIFEST, type Manifest, type TreeEntry } from './entry.ts'
import { groupNames, type Names, userNames } from './owners.ts'
import { readXattrs } from './python.ts'

export interface Scan extends Manifest {
  /** Paths of sockets, fifos and devices, which cannot travel. */
  leftOut: string[]
}

interface Scanner {
  root: string
  users: Names
  groups: Names
  /** Device and inode of files and symlinks with several hard links. */
  inodes: Map<TreeEntry, string>
}

/** After so many entries, timers and signals get their turn. */
const ENTRIES_PER_TURN = 500

/**
 * Everything below `root` with its attributes, sorted by the bytes of the paths. Symlinks are entries and never followed.
 * `exclude` has gitignore's syntax. An old manifest is left out. Throws MurderError UNREADABLE.
 */
export async function scanTree(
  root: string,
  options: { exclude?: string[]; signal?: AbortSignal } = {},
): Promise<Scan> {
  const scanner: Scanner = { root, users: userNames(), groups: groupNames(), inodes: new Map() }
  const rules = ignore({ ignorecase: false }).add([`/${MANIFEST}`, ...(options.exclude ?? [])])
  const entries = [entryOf(scanner, '.', statOf(root, '.'))]
  const leftOut: string[] = []
  const directories = ['']
  for (let under = directories.pop(); under !== undefined; under = directories.pop()) {
    for (const name of namesIn(root, under)) {
      const path = under === '' ? name : `${under}/${name}`
      const stats = statOf(root, path)
      if (rules.ignores(stats.isDirectory() ? `${path}/` : path)) continue
      if (!stats.isFile() && !stats.isDirectory() && !stats.isSymbolicLink()) {
        leftOut.push(path)
        continue
      }
      if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw unreadable(path, new Error('its path is too long'))
      entries.push(entryOf(scanner, path, stats))
      if (stats.isDirectory()) directories.push(path)
      if (entries.length % ENTRIES_PER_TURN === 0) await breath()
    }
    options.signal?.throwIfAborted()
  }
  const sorted = sortEntries(entries)
  noteHardlinks(scanner, sorted)
  const xattrs = await readXattrs(
    root,
    sorted.map(({ path }) => path),
  )
  for (const entry of sorted) {
    const own = xattrs?.[entry.path]
    if (own && !entry.hardlink) entry.xattrs = own
  }
  const aclNames = namesInAcls(Object.values(xattrs ?? {}))
  return { entries: sorted, hasXattrs: xattrs !== undefined, leftOut, ...defined({ aclNames }) }
}

function entryOf({ root, users, groups, inodes }: Scanner, path: string, stats: BigIntStats): TreeEntry {
  const [uid, gid] = [Number(stats.uid), Number(stats.gid)]
  const [uname, gname] = [users.nameOf(uid), groups.nameOf(gid)]
  const type = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'symlink'
  const entry: TreeEntry = {
    path,
    type,
    mode: type === 'symlink' ? 0o777 : Number(stats.mode) & 0o7777,
    mtime: stats.mtimeNs,
    size: type === 'file' ? Number(stats.size) : 0,
    uid,
    gid,
    ...defined({ uname, gname, linkname: type === 'symlink' ? targetOf(root, path) : undefined }),
  }
  if (type !== 'directory' && stats.nlink > 1n) inodes.set(entry, `${stats.dev}:${stats.ino}`)
  return entry
}

function noteHardlinks({ inodes }: Scanner, entries: TreeEntry[]): void {
  const firsts = new Map<string, string>()
  for (const entry of entries) {
    const inode = inodes.get(entry)
    if (!inode) continue
    const first = firsts.get(inode)
    if (first === undefined) firsts.set(inode, entry.path)
    else entry.hardlink = first
  }
}

function statOf(root: string, path: string): BigIntStats {
  try {
    return lstatSync(join(root, path), { bigint: true })
  } catch (cause) {
    throw unreadable(join(root, path), cause)
  }
}

function namesIn(root: string, under: string): string[] {
  try {
    return readdirSync(join(root, under), { encoding: 'buffer' }).map((name) => utf8(name, under))
  } catch (cause) {
    if (cause instanceof MurderError) throw cause
    throw unreadable(join(root, under), cause)
  }
}

function targetOf(root: string, path: string): string {
  try {
    return utf8(readlinkSync(join(root, path), { encoding: 'buffer' }), path)
  } catch (cause) {
    if (cause instanceof MurderError) throw cause
    throw unreadable(join(root, path), cause)
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Buffer, where: string): string {
  try {
    return strict.decode(bytes)
  } catch (cause) {
    const name = `${where === '' ? '' : `${where}/`}${bytes.toString()}`
    throw new MurderError('UNREADABLE', `the name ${shown(name)} is not valid UTF-8`, {
      cure: 'rename it, or leave it out with --exclude',
      exitCode: 2,
      cause,
    })
  }
}

function unreadable(path: string, cause: unknown): MurderError {
  return new MurderError('UNREADABLE', `cannot read ${shown(path)}: ${reason(cause)}`, {
    cure: 'check that this user may read it, or leave it out with --exclude',
    exitCode: 2,
    cause,
  })
}
