import {
  accessSync,
  chmodSync,
  constants,
  type Dirent,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  utimesSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { assertRemoved, removeTree, removeWhatCanBe } from '../../files/directories/remove-tree.ts'
import { unwritable } from '../../files/file-errors.ts'
import { type Fill, type Filled, makeWhole, type Target } from './unpack.ts'

/** A directory inside the target, in which everything is unpacked and verified first. */
const STAGING = '.murder-unpacked'

/**
 * Makes a release in a directory that may have files already. `replace` removes them; `merge` overwrites those that the release
 * also has, and leaves the others. Nothing is touched before everything is unpacked and verified, and nothing is removed before
 * the new files are in place. An existing directory keeps its mode and time. Throws what `makeWhole` throws; TARGET_CONFLICT
 * where a path cannot be merged; NOT_REMOVED, when all else is done.
 */
export async function makeOver(options: Target, existing: 'merge' | 'replace', fill: Fill): Promise<Filled> {
  const into = resolve(options.into)
  const stage = join(into, STAGING)
  try {
    const isNew = mkdirSync(into, { recursive: true }) !== undefined
    removeTree(stage)
    const { onWhole, ...target } = options
    const filled = await makeWhole({ ...target, into: stage }, fill)
    const conflicts = [...conflictsOf(stage, into)]
    if (existing === 'merge') refuse(conflicts)
    else moveAside(conflicts, into)
    const { mode, atime, mtime } = statSync(stage)
    const others = merge(stage, into)
    if (isNew) setAttributes(into, { mode, atime, mtime })
    onWhole?.(filled)
    if (existing === 'replace') assertRemoved(others.flatMap(removeWhatCanBe))
    return filled
  } catch (cause) {
    throw unwritable(into, cause)
  } finally {
    removeTree(stage)
  }
}

interface Conflict {
  target: string
  why: string
}

const entriesOf = (directory: string): Dirent[] => readdirSync(directory, { withFileTypes: true })
const look = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

/** Paths where only one of the two has a directory, or where the existing directory is not writable. */
function* conflictsOf(from: string, to: string): Generator<Conflict> {
  for (const entry of entriesOf(from)) {
    const target = join(to, entry.name)
    const found = look(target)
    if (!found) continue
    if (found.isDirectory() !== entry.isDirectory()) {
      const [have, need] = entry.isDirectory() ? ['no directory', 'one'] : ['a directory', 'none']
      yield { target, why: `is ${have}, but what was sent has ${need} there` }
    } else if (!entry.isDirectory()) continue
    else if (isOwn(found) || isWritable(target)) yield* conflictsOf(join(from, entry.name), target)
    else yield { target, why: 'is a directory that this user may not write to' }
  }
}

function refuse([first]: Conflict[]): void {
  if (!first) return
  throw new MurderError('TARGET_CONFLICT', `${first.target} ${first.why}`, {
    cure: 'nothing was touched; remove it, or set murder.unsafePleaseDelete',
  })
}

/** Moves all of them, or none, into a directory in `into` that the release does not have. */
function moveAside(conflicts: Conflict[], into: string): void {
  if (conflicts.length === 0) return
  const aside = mkdtempSync(join(into, '.murder-replaced-'))
  const moved: [string, string][] = []
  try {
    for (const { target } of conflicts) {
      const away = join(aside, String(moved.length))
      moveInto(target, away)
      moved.push([target, away])
    }
  } catch (cause) {
    for (const [target, away] of moved) moveInto(away, target)
    rmdirSync(aside)
    throw cause
  }
}

/** Renames each file into the target, so that no file is ever incomplete there. Returns the other entries of the target. */
function merge(from: string, to: string): string[] {
  chmodSync(from, 0o700)
  const entries = entriesOf(from)
  const own = new Set([STAGING, ...entries.map(({ name }) => name)])
  const others = readdirSync(to).flatMap((name) => (own.has(name) ? [] : [join(to, name)]))
  for (const entry of entries) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory() && look(target)) others.push(...mergeDirectory(source, target))
    else moveInto(source, target)
  }
  rmdirSync(from)
  return others
}

function mergeDirectory(source: string, target: string): string[] {
  const [wanted, found] = [statSync(source), statSync(target)]
  if (!isOwn(found)) return merge(source, target) // Only its owner can change its mode and time.
  chmodSync(target, (found.mode & 0o7777) | 0o700)
  const others = merge(source, target)
  setAttributes(target, wanted)
  return others
}

function setAttributes(path: string, { mode, atime, mtime }: Pick<Stats, 'mode' | 'atime' | 'mtime'>): void {
  utimesSync(path, atime, mtime)
  chmodSync(path, mode & 0o7777)
}

const isOwn = ({ uid }: Stats): boolean => [0, uid].includes(process.geteuid?.() ?? uid)

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A directory without write permission must get it before it can be moved. */
function moveInto(source: string, target: string): void {
  try {
    renameSync(source, target)
  } catch (cause) {
    const { mode } = lstatSync(source)
    if (!isSystemError(cause, 'EACCES', 'EPERM') || (mode & 0o200) !== 0) throw cause
    chmodSync(source, 0o700)
    renameSync(source, target)
    chmodSync(target, mode & 0o7777)
  }
}
