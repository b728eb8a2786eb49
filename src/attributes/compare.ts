import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'
import { isSystemError } from '../errors.ts'
import { shown } from '../files/entry.ts'
import { splitTime } from '../files/times.ts'
import { localizer } from './acl.ts'
import type { Manifest, TreeEntry } from './entry.ts'
import { octal } from './mtree/encode.ts'
import { readXattrs } from './python.ts'
import { sameTime, type Wanted, wanter } from './wanted.ts'

export interface AttributeCheck {
  path: string
  type: TreeEntry['type']
  state: 'same' | 'different' | 'missing'
  /** The differences, for people: `mode 0644, not 0755`. */
  differences: string[]
}

/** After so many entries, timers and signals get their turn. */
const ENTRIES_PER_TURN = 500
const kinds = { file: 'a file', directory: 'a directory', symlink: 'a symlink' } as const

/** Compares a directory with a manifest, entry by entry, but not the content of files. Changes nothing. */
export async function compareManifest(root: string, manifest: Manifest): Promise<AttributeCheck[]> {
  const { entries, hasXattrs, aclNames } = manifest
  const localize = localizer(aclNames)
  const want = wanter()
  const paths = entries.map(({ path }) => path)
  const xattrs = hasXattrs && look(root) ? await readXattrs(root, paths) : undefined
  const checks: AttributeCheck[] = []
  for (const [index, entry] of entries.entries()) {
    const now = look(join(root, entry.path))
    const differences = now ? [...differencesOf(root, entry, now, want(entry, now))] : []
    if (now && xattrs && !entry.hardlink)
      differences.push(...differentXattrs(localize(entry.xattrs ?? {}), xattrs[entry.path] ?? {}))
    const state = !now ? 'missing' : differences.length > 0 ? 'different' : 'same'
    checks.push({ path: entry.path, type: entry.type, state, differences })
    if (index % ENTRIES_PER_TURN === 0) await breath()
  }
  return checks
}

function look(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return undefined
    throw error
  }
}

function* differencesOf(
  root: string,
  entry: TreeEntry,
  now: BigIntStats,
  { uid, gid, mode }: Wanted,
): Generator<string> {
  const path = join(root, entry.path)
  const type = now.isFile()
    ? 'file'
    : now.isDirectory()
      ? 'directory'
      : now.isSymbolicLink()
        ? 'symlink'
        : undefined
  if (type !== entry.type) return yield `${type ? kinds[type] : 'a special file'}, not ${kinds[entry.type]}`
  if (type === 'symlink') {
    const target = readlinkSync(path)
    if (target !== entry.linkname) yield `link to ${shown(target)}, not ${shown(entry.linkname ?? '')}`
  } else if ((Number(now.mode) & 0o7777) !== mode)
    yield `mode ${octal(Number(now.mode) & 0o7777)}, not ${octal(mode)}`
  if (Number(now.uid) !== uid) yield `owner ${now.uid}, not ${uid}`
  if (Number(now.gid) !== gid) yield `group ${now.gid}, not ${gid}`
  if (!sameTime(now.mtimeNs, entry.mtime)) yield `time ${iso(now.mtimeNs)}, not ${iso(entry.mtime)}`
  if (entry.hardlink === undefined) return
  const first = look(join(root, entry.hardlink))
  if (first?.ino !== now.ino || first.dev !== now.dev) yield `not the same file as ${shown(entry.hardlink)}`
}

function* differentXattrs(wanted: Record<string, string>, now: Record<string, string>): Generator<string> {
  for (const name of Object.keys({ ...wanted, ...now }).sort()) {
    // Only root sees and sets attributes of other namespaces.
    if (process.geteuid?.() !== 0 && !/^(user|system)\./.test(name)) continue
    if (wanted[name] === now[name]) continue
    const how = now[name] === undefined ? 'missing' : wanted[name] === undefined ? 'too many' : 'different'
    yield `attribute ${shown(name)} is ${how}`
  }
}

/** With all digits, because the times may differ only in the last one. */
function iso(mtime: bigint): string {
  const { seconds, nanoseconds } = splitTime(mtime)
  const date = new Date(Number(seconds) * 1000)
  return `${date.toISOString().slice(0, 19)}.${String(nanoseconds).padStart(9, '0')}`
}
