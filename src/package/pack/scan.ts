import { type BigIntStats, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, MurderError, reason } from '../../errors.ts'
import { type Entry, MAX_PATH_BYTES, shown, sortEntries } from '../../files/entry.ts'
import { changed, unreadable } from '../../files/file-errors.ts'
import type { Excludes } from './excludes.ts'

/**
 * What a release holds, sorted bytewise: the release directory itself first (path `.`), then everything below it. Symlinks are
 * entries and never followed, unless `followLinks` makes them what they point to. Leaves out paths that any of `excludes` matches
 * and, with `only`, everything outside that entry.
 *
 * Throws LINK_DANGLING, LINK_LOOP, RELEASE_MISSING, RELEASE_NOT_DIRECTORY, RELEASE_EMPTY, FILE_UNREADABLE, FILE_CHANGED (vanished
 * meanwhile), FILE_TYPE (socket, fifo, device) and FILE_NAME (a name or link target that is not UTF-8).
 */
export function scan(root: string, options: ScanOptions = {}): Entry[] {
  const entries = [rootEntry(join(root, options.only ?? ''))]
  const directories: Directory[] = [{ path: '', above: [] }]
  let isComplete = true
  for (let under = directories.pop(); under !== undefined; under = directories.pop()) {
    const above = options.followLinks ? [...under.above, identityOf(root, under)] : []
    for (const name of namesToLookAt(root, under.path, options.only)) {
      const path = under.path === '' ? name : `${under.path}/${name}`
      const entry = entryOf(root, path, options)
      if (!entry) {
        isComplete = false
        continue
      }
      entries.push(entry)
      if (entry.type === 'directory') directories.push({ path, above })
    }
  }
  if (entries.length === 1)
    throw new MurderError(
      'RELEASE_EMPTY',
      `nothing to deploy: ${root} is empty${isComplete ? '' : ' apart from what is ignored'}`,
      {
        cure: 'check the branch, the build step and the ignore patterns',
      },
    )
  return sortEntries(entries)
}

interface ScanOptions {
  excludes?: readonly Excludes[]
  followLinks?: boolean
  only?: string | undefined
}

interface Directory {
  path: string
  /** When links are followed: identities of the directories above it. */
  above: string[]
}

/** Throws when a directory contains itself. */
function identityOf(root: string, { path, above }: Directory): string {
  const { dev, ino } = statSync(join(root, path), { bigint: true })
  const identity = `${dev}:${ino}`
  if (!above.includes(identity)) return identity
  throw new MurderError('LINK_LOOP', `${shown(path)} is a symlink to a directory that it is in`, {
    cure: 'remove it or ignore this path: --copy-links would copy it without end',
  })
}

const namesToLookAt = (root: string, under: string, only: string | undefined) =>
  under === '' && only !== undefined ? [only] : namesIn(root, under)

function rootEntry(root: string): Entry {
  let stats: BigIntStats
  try {
    stats = statSync(root, { bigint: true })
  } catch (cause) {
    if (!isSystemError(cause, 'ENOENT', 'ENOTDIR')) throw unreadable(root, cause)
    throw new MurderError('RELEASE_MISSING', `the directory to deploy is missing: ${root}`, {
      cure: 'check the workspace or dirToCopy setting',
      cause,
    })
  }
  if (!stats.isDirectory())
    throw new MurderError('RELEASE_NOT_DIRECTORY', `${root} is not a directory`, {
      cure: 'deploy a directory: check the workspace or dirToCopy setting',
    })
  return { path: '.', type: 'directory', mode: Number(stats.mode) & 0o7777, mtime: stats.mtimeNs, size: 0 }
}

function namesIn(root: string, under: string): string[] {
  let names: Buffer[]
  try {
    names = readdirSync(join(root, under), { encoding: 'buffer' })
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT', 'ENOTDIR')) throw changed(under || root, 'vanished', cause)
    throw unreadable(under || root, cause)
  }
  return names.map((name) =>
    utf8(name, (lossy) => `the name of ${shown(under ? `${under}/${lossy}` : lossy)}`),
  )
}

function entryOf(root: string, path: string, options: ScanOptions): Entry | undefined {
  const isExcluded = (...found: Parameters<Excludes>) =>
    options.excludes?.some((exclude) => exclude(...found)) ?? false
  let stats: BigIntStats
  try {
    stats = (options.followLinks ? statSync : lstatSync)(join(root, path), { bigint: true })
  } catch (cause) {
    if (options.followLinks && isSystemError(cause, 'ENOENT', 'ENOTDIR', 'ELOOP') && isLink(root, path)) {
      if (isExcluded(path, false) || isExcluded(path, true)) return undefined
      throw dangling(root, path)
    }
    throw isSystemError(cause, 'ENOENT', 'ENOTDIR')
      ? changed(path, 'vanished', cause)
      : unreadable(path, cause)
  }
  if (isExcluded(path, stats.isDirectory())) return undefined
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw unreadable(path, new Error('its path is too long'))
  const common = { path, mtime: stats.mtimeNs }
  const mode = Number(stats.mode) & 0o7777
  if (stats.isFile()) {
    const source = options.followLinks && isLink(root, path) ? { source: realpathSync(join(root, path)) } : {}
    return { ...common, type: 'file', mode, size: Number(stats.size), ...source }
  }
  if (stats.isDirectory()) return { ...common, type: 'directory', mode, size: 0 }
  if (stats.isSymbolicLink())
    return { ...common, type: 'symlink', mode: 0o777, size: 0, linkname: targetOf(root, path) }
  throw new MurderError('FILE_TYPE', `${shown(path)} is a ${kindOf(stats)}, which cannot be deployed`, {
    cure: 'remove it or ignore this path',
  })
}

function isLink(root: string, path: string): boolean {
  return lstatSync(join(root, path), { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function dangling(root: string, path: string): MurderError {
  const target = shown(targetOf(root, path))
  return new MurderError('LINK_DANGLING', `${shown(path)} is a symlink to ${target}, where nothing is`, {
    cure: 'mend or remove it, or ignore this path, or leave --copy-links out',
  })
}

function targetOf(root: string, path: string): string {
  let target: Buffer
  try {
    target = readlinkSync(join(root, path), { encoding: 'buffer' })
  } catch (cause) {
    throw changed(path, `could no longer be read as a symlink (${reason(cause)})`, cause)
  }
  return utf8(target, () => `the target of the symlink ${shown(path)}`)
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Buffer, what: (lossy: string) => string): string {
  try {
    return strict.decode(bytes)
  } catch (cause) {
    throw new MurderError('FILE_NAME', `${what(bytes.toString())} is not valid UTF-8`, {
      cure: 'rename it, or ignore the directory that holds it',
      cause,
    })
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSocket()) return 'socket'
  if (stats.isFIFO()) return 'fifo'
  return 'device'
}
