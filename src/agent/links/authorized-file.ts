import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { draftBeside } from '../../files/draft.ts'

/** Two deploys may change the file at the same time. An older lock was left by a killed process. */
const LOCK = '.murder-lock'
const STALE_LOCK_MS = 5000
const LOCK_PAUSE_MS = 20
const MAX_ATTEMPTS = 500

/**
 * Changes authorized_keys as a whole: a reader sees the old text or the new one. Mode and owner stay. Behind a symlink the target
 * is changed. `change` gets undefined where there is no file, and gives undefined to remove it. It is called again when somebody
 * else has changed the file meanwhile. Synchronous, because it must also work while the process ends. Throws a system error.
 */
export function changeFile(path: string, change: (text: string | undefined) => string | undefined): void {
  const lock = join(dirname(path), LOCK)
  for (let attempt = 0; !takeLock(lock); attempt++) {
    if (attempt > MAX_ATTEMPTS) throw new Error(`${lock} is in the way`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE_MS)
  }
  try {
    for (let attempt = 0; !changeOnce(path, change); attempt++)
      if (attempt > MAX_ATTEMPTS) throw new Error(`${path} changes all the time`)
  } finally {
    rmSync(lock, { force: true })
  }
}

function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600))
    return true
  } catch (error) {
    if (!isSystemError(error, 'EEXIST')) throw error
    const { mtimeMs = Number.POSITIVE_INFINITY } = statSync(lock, { throwIfNoEntry: false }) ?? {}
    if (Date.now() - mtimeMs > STALE_LOCK_MS) rmSync(lock, { force: true })
    return false
  }
}

/** Whether nobody else has changed the file meanwhile. */
function changeOnce(path: string, change: (text: string | undefined) => string | undefined): boolean {
  const before = statSync(path, { throwIfNoEntry: false })
  const file = before ? realpathSync(path) : path
  if (before && before.nlink > 1) throw new Error(`${path} has a second name`)
  // Only root can give a new file to somebody else.
  if (before && process.geteuid?.() !== 0 && before.uid !== process.geteuid?.())
    throw new Error(`${path} belongs to another user`)
  // As bytes: comments need not be UTF-8.
  const text = before && readFileSync(file, 'latin1')
  const changed = change(text)
  if (changed === text) return true
  if (changed === undefined) {
    if (!isSame(before, statSync(file, { throwIfNoEntry: false }))) return false
    rmSync(file)
    return true
  }
  const draft = draftBeside(file)
  try {
    const fd = openSync(draft, 'wx', 0o600)
    try {
      writeFileSync(fd, changed, 'latin1')
      if (before) fchmodSync(fd, before.mode & 0o7777)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    if (before && isOthers(before, draft)) chownSync(draft, before.uid, before.gid)
    if (!isSame(before, statSync(file, { throwIfNoEntry: false }))) return false
    renameSync(draft, file)
    return true
  } finally {
    rmSync(draft, { force: true })
  }
}

function isOthers({ uid, gid }: Stats, draft: string): boolean {
  const own = statSync(draft)
  return own.uid !== uid || own.gid !== gid
}

const isSame = (one: Stats | undefined, other: Stats | undefined): boolean =>
  one?.ino === other?.ino && one?.mtimeMs === other?.mtimeMs && one?.size === other?.size
