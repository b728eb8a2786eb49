import {
  chmodSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { unwritable } from '../../files/file-errors.ts'
import { removeTree } from '../../files/remove-tree.ts'
import { type Fill, makeWhole, type Target } from './unpack.ts'

/** A directory inside the one to fill, in which all is unpacked and verified first. */
const STAGING = '.murder-unpacked'

/**
 * Makes a release in a directory that may have files already. `replace` removes them; `merge` overwrites those that the release
 * has, too, and leaves the others. Nothing is touched before everything is there and verified.
 * Throws what `makeWhole` throws, and TARGET_CONFLICT where only one of the two has a directory at a path.
 */
export async function makeOver(options: Target, existing: 'merge' | 'replace', fill: Fill): ReturnType<Fill> {
  const into = resolve(options.into)
  const stage = join(into, STAGING)
  try {
    mkdirSync(into, { recursive: true })
    removeTree(stage)
    const filled = await makeWhole({ ...options, into: stage }, fill)
    if (existing === 'replace') removeOthers(into)
    assertMergeable(stage, into)
    merge(stage, into)
    return filled
  } catch (cause) {
    throw unwritable(into, cause)
  } finally {
    removeTree(stage)
  }
}

function removeOthers(into: string): void {
  for (const name of readdirSync(into)) if (name !== STAGING) removeTree(join(into, name))
}

const entriesOf = (directory: string): Dirent[] => readdirSync(directory, { withFileTypes: true })

function assertMergeable(from: string, to: string): void {
  for (const entry of entriesOf(from)) {
    const target = join(to, entry.name)
    const found = lstatSync(target, { throwIfNoEntry: false })
    if (!found) continue
    if (found.isDirectory() !== entry.isDirectory()) {
      const [have, need] = entry.isDirectory() ? ['no directory', 'one'] : ['a directory', 'none']
      throw new MurderError('TARGET_CONFLICT', `${target} is ${have}, but what was sent has ${need} there`, {
        cure: 'nothing was touched; remove it, or set murder.unsafePleaseDelete',
      })
    }
    if (entry.isDirectory()) assertMergeable(join(from, entry.name), target)
  }
}

/** Renames each file into the target, so that none is ever there in part. */
function merge(from: string, to: string): void {
  const { mode, atime, mtime } = statSync(from)
  chmodSync(from, 0o700)
  for (const entry of entriesOf(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory() && lstatSync(target, { throwIfNoEntry: false })) merge(source, target)
    else moveInto(source, target)
  }
  rmdirSync(from)
  utimesSync(to, atime, mtime)
  chmodSync(to, mode & 0o7777)
}

/** A directory without write permission can be moved only once it has it. */
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
