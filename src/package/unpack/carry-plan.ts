import { type BigIntStats, lstatSync, readdirSync, realpathSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'
import { mountPointsBelow } from '../../files/directories/mount-points.ts'
import { type Entry, isAscii } from '../../files/entry.ts'

/** A path below a release, with one character for each byte, because names that are not UTF-8 are carried, too. */
export type BytePath = string

export interface CarriedEntry {
  path: BytePath
  stats: BigIntStats
}

export interface CarryPlan {
  /** Each directory comes before what is in it. */
  entries: CarriedEntry[]
  /** The topmost of the kept entries. */
  names: string[]
  /** Paths that should be kept but cannot be, and why. */
  skipped: string[]
}

export interface CarryRules {
  /** The earlier release. */
  from: string
  /** Whether a path that the new release lacks is kept, as by rsync with --del. */
  keeps(path: string, isDirectory: boolean): boolean
  /** The new release's entry at a path. */
  typeAt(path: string): Entry['type'] | undefined
}

/** Never carried over, because it names the commit of the earlier release. */
const REVISION = 'REVISION'

/**
 * Lists the extra entries that would remain if the earlier release were copied and rsync then made it equal to the new one. The
 * new release's own entries take precedence. Directories are listed if they contain something that is kept. Follows no symlink
 * and enters no other file system.
 */
export function planCarrying({ from, keeps, typeAt }: CarryRules): CarryPlan {
  const plan: CarryPlan = { entries: [], names: [], skipped: [] }
  const mounted = mountPointsBelow(realpathSync(from))

  const look = (under: BytePath, isKept: boolean) => {
    for (const name of namesIn(bytePath(from, under), isKept)) {
      const path = under === '' ? name : `${under}/${name}`
      const stats = statsOf(bytePath(from, path), isKept)
      if (stats && path !== REVISION) consider({ path, stats }, isKept)
    }
  }

  const consider = (entry: CarriedEntry, isAboveKept: boolean) => {
    const { path, stats } = entry
    const text = textOf(path)
    const isDirectory = stats.isDirectory()
    const have = typeAt(text)
    if (have !== undefined && !(have === 'directory' && isDirectory)) return
    const isKept = isAboveKept || keeps(text, isDirectory)
    const why = isDirectory && mounted.has(path) ? 'another file system' : specialKind(stats)
    if (why !== undefined) {
      if (isKept) plan.skipped.push(`${text} (${why})`)
      return
    }
    if (isKept && have === undefined && (!isAboveKept || typeAt(parentText(text)) !== undefined))
      plan.names.push(text)
    if (!isDirectory) return void (isKept && plan.entries.push(entry))
    const before = plan.entries.length
    if (have === undefined) plan.entries.push(entry)
    look(path, isKept)
    if (have === undefined && !isKept && plan.entries.length === before + 1) plan.entries.pop()
  }

  look('', false)
  return plan
}

/** As a text for file system calls, which take that in half the time. */
export const bytePath = (root: string, path: BytePath): string | Buffer =>
  isAscii(path) ? `${root}/${path}` : Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])

const textOf = (path: BytePath): string => (isAscii(path) ? path : Buffer.from(path, 'latin1').toString())

const parentText = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '.'

function namesIn(directory: string | Buffer, isKept: boolean): BytePath[] {
  try {
    return readdirSync(directory, { encoding: 'latin1' }).sort()
  } catch (error) {
    if (isGone(error, isKept)) return []
    throw error
  }
}

function statsOf(path: string | Buffer, isKept: boolean): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    if (isGone(error, isKept)) return undefined
    throw error
  }
}

/** It has vanished, or it need not be kept and cannot be read. */
const isGone = (error: unknown, isKept: boolean) =>
  isSystemError(error, 'ENOENT', 'ENOTDIR') || (!isKept && isSystemError(error, 'EACCES'))

function specialKind(stats: BigIntStats): string | undefined {
  if (stats.isSocket()) return 'a socket'
  if (stats.isFIFO()) return 'a named pipe'
  return stats.isFile() || stats.isDirectory() || stats.isSymbolicLink() ? undefined : 'a device'
}
