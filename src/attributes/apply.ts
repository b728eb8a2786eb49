import {
  type BigIntStats,
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import { isSystemError, MurderError, reason } from '../errors.ts'
import { draftBeside } from '../files/draft.ts'
import { shown } from '../files/entry.ts'
import { unwritable } from '../files/file-errors.ts'
import { refusesLinks } from '../files/link-or-copy.ts'
import { setLinkTimes, setTimes } from '../files/times.ts'
import { defined } from '../system/defined.ts'
import { localizer } from './acl.ts'
import { badManifest, MANIFEST, type Manifest, type TreeEntry } from './entry.ts'
import { separateHardLinks } from './hard-links.ts'
import { type Refusal, writeExactly } from './python.ts'
import { wanter } from './wanted.ts'

export interface Applied {
  /** Attributes that could not be set, in lines for people. */
  warnings: string[]
}

/** After so many entries, timers and signals get their turn. */
const ENTRIES_PER_TURN = 200
/** The mode that a directory needs while something is made in it, and a file while its extended attributes are set. */
const USABLE_MODE = 0o700
const FILE_BITS = 0o600

/**
 * Gives a directory whose files are complete the attributes of a manifest. First come its other entries (directories, symlinks,
 * hard links), then owners and modes, extended attributes and times. Nothing is reached through a symlink: a path is only
 * used when its parent has been seen to be a directory.
 *
 * Throws BAD_MANIFEST, WRONG_KIND (a directory where a symlink should be, or the reverse), NOT_WRITABLE.
 */
export async function applyManifest(root: string, manifest: Manifest): Promise<Applied> {
  const { entries, hasXattrs, aclNames } = manifest
  const listed = [...entries, ownEntry(entries)]
  let apart: Map<TreeEntry, Refusal> = new Map()
  const makeAll = async () => {
    apart = new Map()
    await eachOf(root, listed, (entry, path) => {
      const [refusal] = makeEntry(root, entry, path)
      if (refusal) apart.set(entry, refusal)
    })
  }
  await makeAll()
  if (await separateHardLinks(root, manifest)) await makeAll()
  const all = listed.map((entry) => (apart.has(entry) ? withoutLink(entry) : entry))
  const want = wanter()
  const localize = localizer(aclNames)
  const refusals: Refusal[] = []
  const setAll = (order: TreeEntry[], atLeast: number) =>
    eachOf(root, order, (entry, path) => refusals.push(...setOwnerAndMode(entry, path, want, atLeast)))
  await setAll(all, USABLE_MODE)
  // Deepest first, because an ACL may deny this user the way into a directory.
  const deepestFirst = all.toReversed().filter(({ hardlink }) => hardlink === undefined)
  const exact = await writeExactly(
    root,
    deepestFirst.map(({ path, mtime, xattrs }) => ({
      path,
      mtime,
      ...defined({ xattrs: hasXattrs ? localize(xattrs ?? {}) : undefined }),
    })),
  )
  refusals.length = 0
  if (!exact) await eachOf(root, all, setTime)
  await setAll(all.toReversed(), 0)
  return {
    warnings: [
      ...summary([...apart.values(), ...refusals, ...(exact ?? [])]),
      ...(exact ? [] : withoutPython(entries)),
    ],
  }
}

/** The manifest's own entry, which it cannot list because it does not know its own length. */
function ownEntry([root]: TreeEntry[]): TreeEntry {
  return { ...(root as TreeEntry), path: MANIFEST, type: 'file', mode: 0o644, xattrs: {} }
}

async function eachOf(
  root: string,
  entries: TreeEntry[],
  work: (entry: TreeEntry, path: string) => void,
): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    const path = join(root, entry.path)
    try {
      work(entry, path)
    } catch (cause) {
      throw unwritable(path, cause)
    }
    if (index % ENTRIES_PER_TURN === 0) await breath()
  }
}

/** An entry comes after its parent, so all of the way to `path` is real directories. */
function makeEntry(root: string, entry: TreeEntry, path: string): Refusal[] {
  const now = look(path)
  if (entry.type === 'directory') {
    makeDirectory(path, now)
    return []
  }
  if (entry.type === 'symlink') makeSymlink(entry.linkname ?? '', path, now)
  else if (!now?.isFile()) throw refused(`${shown(entry.path)} is no file of the torrent`)
  return entry.hardlink === undefined ? [] : makeHardlink(join(root, entry.hardlink), path, entry.type)
}

/** Where there are no hard links it is a file of its own. */
const withoutLink = ({ hardlink: _, ...entry }: TreeEntry): TreeEntry => entry

function makeDirectory(path: string, now: BigIntStats | undefined): void {
  if (!now) mkdirSync(path, { mode: USABLE_MODE })
  else if (!now.isDirectory()) throw wrongKind(path, 'is not a directory, but the attributes say it is one')
  else if ((Number(now.mode) & USABLE_MODE) !== USABLE_MODE)
    attempt(path, 'the mode', () => chmodSync(path, Number(now.mode) | USABLE_MODE))
}

/** Replaces all but a directory that is not empty. */
export function makeSymlink(target: string, path: string, now = look(path)): void {
  if (now?.isSymbolicLink() && readlinkSync(path) === target) return
  if (now?.isDirectory()) {
    try {
      rmdirSync(path)
    } catch (cause) {
      if (!isSystemError(cause, 'ENOTEMPTY', 'EEXIST')) throw cause
      throw wrongKind(path, 'is a directory that is not empty, but the attributes say it is a symlink')
    }
  }
  replace(path, (draft) => symlinkSync(target, draft))
}

/** If they stay separate, returns why. */
function makeHardlink(first: string, path: string, type: TreeEntry['type']): Refusal[] {
  const [other, now] = [look(first), look(path)]
  if (type === 'file' ? !other?.isFile() : !other?.isSymbolicLink()) throw refused(`${first} is no ${type}`)
  if (other?.ino === now?.ino && other?.dev === now?.dev) return []
  // Outside of Linux link(2) may follow a symlink: there the two stay separate.
  if (type !== 'file' && process.platform !== 'linux') return []
  try {
    replace(path, (draft) => linkSync(first, draft))
    return []
  } catch (cause) {
    if (refusesLinks(cause)) return [{ path, what: 'the hard link', why: reason(cause) }]
    throw cause
  }
}

/** Makes it beside `path` and renames it, so that `path` always exists. */
function replace(path: string, make: (draft: string) => void): void {
  const draft = draftBeside(path)
  try {
    make(draft)
    renameSync(draft, path)
  } finally {
    // Needed even after the rename: renaming one hard link onto another of the same file does nothing.
    rmSync(draft, { force: true })
  }
}

/** Returns what the system refused. An entry gets the bits in `atLeast` in any case. */
function setOwnerAndMode(
  entry: TreeEntry,
  path: string,
  want: ReturnType<typeof wanter>,
  atLeast: number,
): Refusal[] {
  const now = look(path)
  if (!now || now.isSymbolicLink() !== (entry.type === 'symlink'))
    throw refused(`${shown(entry.path)} has become something else`)
  const { uid, gid, mode } = want(entry, now)
  const moves = uid !== Number(now.uid) || gid !== Number(now.gid)
  const change = entry.type === 'symlink' ? lchownSync : chownSync
  const refusals = moves ? attempt(entry.path, 'the owner', () => change(path, uid, gid)) : []
  if (entry.type === 'symlink') return refusals
  const needed = mode | (entry.type === 'directory' ? atLeast : atLeast & FILE_BITS)
  if (!moves && needed === (Number(now.mode) & 0o7777)) return refusals
  return [...refusals, ...attempt(entry.path, 'the mode', () => chmodSync(path, needed))]
}

function setTime(entry: TreeEntry, path: string): void {
  if (entry.type === 'symlink') setLinkTimes(path, entry.mtime)
  else setTimes(path, entry.mtime)
}

function look(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })
}

/** An entry of another user keeps its attributes. That is reported and is not a failure. */
function attempt(path: string, what: string, work: () => void): Refusal[] {
  try {
    work()
    return []
  } catch (cause) {
    if (isSystemError(cause, 'EPERM', 'EINVAL', 'ENOTSUP')) return [{ path, what, why: reason(cause) }]
    throw cause
  }
}

/** One line for each kind of refusal, not one for each file. */
function summary(refusals: Refusal[]): string[] {
  const paths = new Map<string, string[]>()
  for (const { path, what, why } of refusals) {
    const line = `could not set ${what}: ${why}`
    paths.set(line, [...(paths.get(line) ?? []), path])
  }
  return [...paths].map(
    ([line, [first = '', ...more]]) =>
      `${line} (${shown(first)}${more.length > 0 ? ` and ${more.length} more` : ''})`,
  )
}

function withoutPython(entries: TreeEntry[]): string[] {
  const count = entries.filter(({ xattrs }) => xattrs !== undefined).length
  if (count === 0) return []
  return [
    `extended attributes and ACLs of ${count} files were not set: there is no python3 here to do it; install it and run this again`,
  ]
}

const wrongKind = (path: string, why: string) =>
  new MurderError('WRONG_KIND', `${path} ${why}`, { cure: 'remove it and run this again' })

const refused = (why: string) => badManifest('do not fit', why)
