import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { setImmediate as breath } from 'node:timers/promises'
import { isSystemError, MurderError, reason } from '../../errors.ts'
import { BlockSharing } from '../../files/block-sharing.ts'
import { shown } from '../../files/entry.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import { openToRead } from '../../files/open-to-read.ts'
import { settable } from '../../files/times.ts'
import { writeAll } from '../../files/write-all.ts'
import type { Carried } from '../../protocol/events.ts'
import {
  type BytePath,
  bytePath,
  type CarriedEntry,
  type CarryPlan,
  type CarryRules,
  planCarrying,
} from './carry-plan.ts'

/** Longest time until timers and signals get their turn. */
const TURN_MS = 10
const CHUNK_BYTES = 1 << 20
/** More names would flood a log. */
const MAX_NAMES = 20

type Path = string | Buffer

/**
 * Copies the entries that a release keeps from an earlier one into the directory `into`, like `cp -a`: with modes, times and
 * owners. Shares blocks where the file system can. Files that vanish meanwhile are left out.
 *
 * Throws DISK_FULL, NOT_WRITABLE, INTERRUPTED, and CARRY_UNREADABLE for files that this user may not read.
 */
export async function carryOver({
  into,
  signal,
  copyMore = async () => [],
  ...rules
}: CarryRules & {
  into: string
  signal?: AbortSignal | undefined
  /** Copies the attributes that Node cannot. Returns those that were refused. */
  copyMore?: (from: string, into: string, paths: readonly BytePath[]) => Promise<string[]>
}): Promise<Carried> {
  let plan: CarryPlan = { entries: [], names: [], skipped: [] }
  try {
    plan = planCarrying(rules)
    const count = await copyAll(plan.entries, rules.from, into, signal)
    const paths = plan.entries.map(({ path }) => path).reverse() // An ACL may close a directory to its owner.
    const refused = paths.length > 0 ? await copyMore(rules.from, into, paths) : []
    const names = plan.names.slice(0, MAX_NAMES).map(shown)
    const more = plan.names.length - names.length
    return { ...count, names, more, skipped: [...plan.skipped, ...refused].slice(0, MAX_NAMES).map(shown) }
  } catch (cause) {
    throw notCarried(rules.from, into, sizeOf(plan, rules.from), cause)
  }
}

function sizeOf({ entries }: CarryPlan, from: string): string {
  const size = entries.reduce((sum, { stats }) => sum + (stats.isFile() ? Number(stats.size) : 0), 0)
  return `the ${Math.ceil(size / (1 << 20))} MiB that are carried over from ${shown(from)}`
}

async function copyAll(
  entries: readonly CarriedEntry[],
  from: string,
  into: string,
  signal: AbortSignal | undefined,
): Promise<{ files: number; bytes: number }> {
  const count = { files: 0, bytes: 0 }
  const directories: CarriedEntry[] = []
  const copier = new Copier()
  for (const entry of entries) {
    const { path, stats } = entry
    const [source, target] = [bytePath(from, path), bytePath(into, path)]
    await copier.pause(signal)
    if (stats.isDirectory()) {
      mkdirSync(target, { mode: 0o700 })
      directories.push(entry)
    } else if (stats.isSymbolicLink()) copyLink(source, target, stats)
    else if (await copier.copy(source, target, stats, signal)) {
      count.files++
      count.bytes += Number(stats.size)
    }
  }
  // The deepest first, because nothing is made in them any more.
  for (const { path, stats } of directories.reverse()) setAttributes(bytePath(into, path), stats)
  return count
}

/**
 * Copies files. Node's own copy is used for shared blocks only: without them it never ends when the file is made shorter
 * meanwhile, as logs are.
 */
class Copier {
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  readonly #sharing = new BlockSharing()
  #last = performance.now()

  /** Returns whether it still existed. A program on a server has thousands of small files, so each system call counts. */
  async copy(
    source: Path,
    target: Path,
    stats: BigIntStats,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const share = () => copyFileSync(source, target, constants.COPYFILE_FICLONE_FORCE)
    if (this.#sharing.try(target, share)) {
      setAttributes(target, stats)
      return true
    }
    let from: number
    try {
      from = openToRead(source)
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false
      throw error
    }
    let to: number | undefined
    try {
      to = openSync(target, 'wx', 0o600)
      for (let copied = 0; ; ) {
        const length = readSync(from, this.#buffer)
        writeAll(to, this.#buffer.subarray(0, length))
        copied += length
        if (length === 0 || (length < CHUNK_BYTES && copied >= stats.size)) break
        await this.pause(signal)
      }
      setAttributesOfOpen(to, stats)
      return true
    } finally {
      closeSync(from)
      if (to !== undefined) closeSync(to)
    }
  }

  async pause(signal: AbortSignal | undefined): Promise<void> {
    if (performance.now() - this.#last < TURN_MS) return
    await breath()
    stopIfAborted(signal)
    this.#last = performance.now()
  }
}

function copyLink(source: Path, target: Path, stats: BigIntStats): void {
  let to: Buffer
  try {
    to = readlinkSync(source, { encoding: 'buffer' })
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return
    throw error
  }
  symlinkSync(to, target)
  setOwner(target, stats)
  lutimesSync(target, settable(stats.atimeNs), settable(stats.mtimeNs))
}

/** The owner comes first, because changing it clears setuid and setgid, and these must not return to a file of another owner. */
function setAttributes(target: Path, stats: BigIntStats): void {
  const isOwned = setOwner(target, stats)
  utimesSync(target, settable(stats.atimeNs), settable(stats.mtimeNs))
  chmodSync(target, Number(stats.mode) & (isOwned ? 0o7777 : 0o1777))
}

function setAttributesOfOpen(fd: number, stats: BigIntStats): void {
  const isOwned = own(fstatSync(fd), stats, (uid, gid) => fchownSync(fd, uid, gid))
  futimesSync(fd, settable(stats.atimeNs), settable(stats.mtimeNs))
  fchmodSync(fd, Number(stats.mode) & (isOwned ? 0o7777 : 0o1777))
}

const setOwner = (target: Path, stats: BigIntStats): boolean =>
  own(lstatSync(target), stats, (uid, gid) => lchownSync(target, uid, gid))

/** Returns whether it now has the same owner and group. As with `cp -a`, a user who may not give a file away keeps it. */
function own(now: Stats, wanted: BigIntStats, change: (uid: number, gid: number) => void): boolean {
  const [uid, gid] = [Number(wanted.uid), Number(wanted.gid)]
  if (now.uid === uid && now.gid === gid) return true
  if (isAllowed(() => change(uid, gid))) return true
  isAllowed(() => change(now.uid, gid))
  return false
}

function isAllowed(change: () => void): boolean {
  try {
    change()
    return true
  } catch (error) {
    if (!isSystemError(error, 'EPERM', 'EINVAL')) throw error
    return false
  }
}

function notCarried(from: string, into: string, carried: string, cause: unknown): unknown {
  if (isSystemError(cause, 'EACCES') && cause.path?.startsWith(from))
    return new MurderError('CARRY_UNREADABLE', `cannot carry ${shown(cause.path)} over: ${reason(cause)}`, {
      cure: 'let the deploying user read it, or set copy: false, which carries nothing over',
      cause,
    })
  if (isSystemError(cause, 'ENOSPC', 'EDQUOT'))
    return new MurderError('DISK_FULL', `no space left for ${carried}, besides the release`, {
      cure: 'free space there, or set copy: false, which carries nothing over',
      cause,
    })
  return unwritable(into, cause)
}
