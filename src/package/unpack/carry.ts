import {
  type BigIntStats,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  readSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { setImmediate as breath } from 'node:timers/promises'
import { isSystemError, MurderError, reason } from '../../errors.ts'
import { BlockSharing } from '../../files/block-sharing.ts'
import { shown } from '../../files/entry.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import { openToRead } from '../../files/open-to-read.ts'
import { settable } from '../../files/times.ts'
import type { Carried } from '../../protocol/events.ts'
import {
  type BytePath,
  bytePath,
  type CarriedEntry,
  type CarryPlan,
  type CarryRules,
  planCarrying,
} from './carry-plan.ts'

/** Longest time between two looks at timers and signals. */
const TURN_MS = 10
const CHUNK_BYTES = 1 << 20
/** More names would flood a log. */
const MAX_NAMES = 20

/**
 * Copies into the directory `into` what a release keeps of an earlier one, as `cp -a` does: with modes, times and owners. Blocks
 * are shared where the file system can do that. What vanishes meanwhile is left out.
 *
 * Throws DISK_FULL, NOT_WRITABLE, INTERRUPTED, and CARRY_UNREADABLE for what this user may not read.
 */
export async function carryOver({
  into,
  signal,
  copyMore = async () => [],
  ...rules
}: CarryRules & {
  into: string
  signal?: AbortSignal | undefined
  /** Copies what Node cannot of these paths, and gives what was refused. */
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
    else if (await copier.copy(source, target, signal)) {
      setAttributes(target, stats)
      count.files++
      count.bytes += Number(stats.size)
    }
  }
  // The deepest first: nothing is made in them any more.
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

  /** Whether it was still there. */
  async copy(source: Buffer, target: Buffer, signal: AbortSignal | undefined): Promise<boolean> {
    const share = () => copyFileSync(source, target, constants.COPYFILE_FICLONE_FORCE)
    if (this.#sharing.try(target, share)) return true
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
      for (;;) {
        const length = readSync(from, this.#buffer)
        if (length === 0) return true
        for (let done = 0; done < length; ) done += writeSync(to, this.#buffer, done, length - done)
        await this.pause(signal)
      }
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

function copyLink(source: Buffer, target: Buffer, stats: BigIntStats): void {
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

/** The owner comes first: changing it clears setuid and setgid, which another owner's file must not get back. */
function setAttributes(target: Buffer, stats: BigIntStats): void {
  const isOwned = setOwner(target, stats)
  utimesSync(target, settable(stats.atimeNs), settable(stats.mtimeNs))
  chmodSync(target, Number(stats.mode) & (isOwned ? 0o7777 : 0o1777))
}

/** Whether it has the same owner and group now. As with `cp -a`, a user who may not give a file away keeps it. */
function setOwner(target: Buffer, { uid, gid }: BigIntStats): boolean {
  const now = lstatSync(target, { bigint: true })
  if (now.uid === uid && now.gid === gid) return true
  if (isAllowed(() => lchownSync(target, Number(uid), Number(gid)))) return true
  isAllowed(() => lchownSync(target, Number(now.uid), Number(gid)))
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
