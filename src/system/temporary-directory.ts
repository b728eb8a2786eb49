import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explain, MurderError } from '../errors.ts'
import { hasEnded, nameOwnProcess } from './process-identity.ts'

/** The cure for a full or read-only directory of temporary files. */
export const OTHER_DIRECTORY =
  'free space there, or name another directory with TMPDIR, such as TMPDIR=/var/tmp'

/** This file names the process that removes the directory. */
const OWNER = 'owner'

/**
 * A new directory (0700) whose name begins with `prefix`, for as long as this process runs. The caller removes it. Directories
 * of processes that were killed are removed here.
 */
export function makeTemporaryDirectory(prefix: string, parent = tmpdir()): string {
  removeAbandoned(prefix, parent)
  const directory = make(join(parent, prefix))
  const owner = nameOwnProcess()
  if (owner !== undefined) writeFileSync(join(directory, OWNER), owner, { mode: 0o600 })
  return directory
}

function make(prefix: string): string {
  try {
    return mkdtempSync(prefix)
  } catch (cause) {
    throw new MurderError('TEMPORARY_DIRECTORY', `No temporary directory can be made: ${explain(cause)}`, {
      cure: OTHER_DIRECTORY,
      cause,
    })
  }
}

/** A directory that cannot be removed is reported and stays. It does not stop a deploy. */
function removeAbandoned(prefix: string, parent: string): void {
  for (const directory of abandoned(prefix, parent)) {
    try {
      rmSync(directory, { recursive: true, force: true })
    } catch (error) {
      console.warn(`${directory}, left by a deploy that was killed, could not be removed: ${explain(error)}`)
    }
  }
}

/** Gives none when the parent may be written but not listed. */
function abandoned(prefix: string, parent: string): string[] {
  let names: string[] = []
  try {
    names = readdirSync(parent)
  } catch (error) {
    console.warn(`No look for what killed deploys left: ${explain(error)}`)
  }
  return names
    .filter((name) => name.startsWith(prefix) && name.length === prefix.length + 6)
    .map((name) => join(parent, name))
    .filter(isAbandoned)
}

/** A directory of another user is ignored: the parent is often /tmp. */
function isAbandoned(directory: string): boolean {
  try {
    const stats = lstatSync(directory)
    return (
      stats.isDirectory() &&
      stats.uid === process.getuid?.() &&
      hasEnded(readFileSync(join(directory, OWNER), 'utf8'))
    )
  } catch {
    return false // It is gone, or has no owner.
  }
}
