import { lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isSystemError, MurderError } from '../../errors.ts'
import { removeTree } from '../../files/directories/remove-tree.ts'
import { syncTree } from '../../files/directories/sync-tree.ts'
import { stopIfAborted, unwritable } from '../../files/file-errors.ts'
import type { Carried } from '../../protocol/events.ts'
import { Destination } from './destination.ts'
import { type ExtractOptions, extractInto } from './extract.ts'

/** The place of a release, which appears there whole or not at all. */
export interface Target {
  /** The release directory: missing or empty before, whole after. */
  into: string
  /** Content of the REVISION file, without its newline. */
  revision?: string
  /** Adds the files that it keeps from an earlier release. */
  carry?: (destination: Destination) => Promise<Carried>
  /** Called when the release is whole and on the disk, just before it gets its name. */
  onWhole?: (filled: Filled) => void
  signal?: AbortSignal
}

/** Makes all entries of the release. `bytes` counts the content of files. */
export type Fill = (destination: Destination) => Promise<{ files: number; bytes: number }>

export type Filled = { files: number; bytes: number; carried?: Carried }

/** `file` is the package. Its SHA-256 (hex), when given, is checked while it is read. */
export type UnpackOptions = Target & ExtractOptions

/**
 * Unpacks an untrusted package.
 *
 * Throws what `makeWhole` throws, PACKAGE_MISSING, PACKAGE_WRONG (SHA-256), PACKAGE_DAMAGED, PACKAGE_REFUSED (hostile)
 * or NO_ZSTD.
 */
export const unpack = (options: UnpackOptions): ReturnType<Fill> =>
  makeWhole(options, (destination) => extractInto(destination, options))

/**
 * Fills a hidden directory beside `into` and renames it when it is complete and on the disk. On any failure the hidden directory
 * is removed, and nothing else has changed.
 *
 * Throws RELEASE_EXISTS, CARRY_UNREADABLE, DISK_FULL, NOT_WRITABLE, INTERRUPTED or what `fill` throws.
 */
export async function makeWhole(options: Target, fill: Fill): Promise<Filled> {
  const into = resolve(options.into)
  stopIfAborted(options.signal)
  assertFree(into)
  const partial = partialOf(into)
  let destination: Destination | undefined
  try {
    mkdirSync(dirname(into), { recursive: true })
    removeTree(partial)
    destination = new Destination(partial)
    const filled: Filled = await fill(destination)
    if (options.carry) filled.carried = await options.carry(destination)
    if (options.revision !== undefined) destination.revision(options.revision)
    await syncTree(partial, options.signal) // before a directory's mode may forbid it
    destination.finish()
    stopIfAborted(options.signal)
    options.onWhole?.(filled)
    renameSync(partial, into)
    return filled
  } catch (cause) {
    destination?.close()
    if (destination) removeQuietly(partial)
    throw unwritable(into, cause)
  }
}

/** The hidden directory in which a release is made before it gets its name. */
export const partialOf = (into: string): string => join(dirname(into), `.${basename(into)}.partial`)

/** The first error matters more than a leftover directory, which the next attempt removes. */
function removeQuietly(path: string): void {
  try {
    removeTree(path)
  } catch {}
}

function assertFree(into: string): void {
  let what: string
  try {
    const stats = lstatSync(into)
    if (stats.isDirectory() && readdirSync(into).length === 0) return
    what = stats.isDirectory() ? 'is there already and not empty' : 'is there already and not a directory'
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return
    throw unwritable(into, cause)
  }
  throw new MurderError('RELEASE_EXISTS', `${into} ${what}`, {
    cure: 'nothing was touched; remove it, or unpack into another directory',
  })
}
