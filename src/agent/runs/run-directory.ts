import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { ExitCode, isSystemError, MurderError } from '../../errors.ts'
import { makeDirectory } from '../../files/directories/make-directory.ts'
import { writeWhole } from '../../files/write-whole.ts'
import type { Role } from '../../protocol/run-status.ts'
import { defined } from '../../system/defined.ts'
import {
  containerName,
  isRunning,
  ownIdentity,
  type ProcessIdentity,
  pidExists,
  surroundings,
} from '../../system/process-identity.ts'

export interface RunState extends ProcessIdentity {
  role: Role
  tag: string
  /** Milliseconds since 1970. */
  started: number
  /** The boot and the pid namespace in which the pid means this process. */
  around?: string
  infoHash?: string
  /** The content's absolute path. */
  path?: string
  port?: number
  url?: string
}

export interface Run {
  folder: string
  state: RunState
}

export const stateFile = (folder: string) => join(folder, 'state.json')
export const eventsFile = (folder: string) => join(folder, 'events.ndjson')
export const logFile = (folder: string) => join(folder, 'log')
/** Removed when the disk is full, so that the run can still write what happened. */
export const reserveFile = (folder: string) => join(folder, 'reserve')
const RESERVE_BYTES = 16_384

const uid = () => process.getuid?.() ?? 0

/**
 * Not $XDG_RUNTIME_DIR: logind removes it, with all runs, when the last session ends, but a download must survive a dropped SSH
 * connection. Containers that share a temporary directory each have their own run directory, because none can see the processes
 * of another.
 */
export function runRoot(option: string | undefined, container = containerName()): string {
  const name = ['murder', uid(), container].filter((part) => part !== undefined).join('-')
  return resolve(option ?? process.env.MURDER_RUN_DIR ?? join(tmpdir(), name))
}

/** Makes the directory if needed. Refuses one that another user owns or can write to. */
export function openPrivateDirectory(path: string): void {
  if (!isAbsolute(path))
    throw new MurderError('BAD_DIRECTORY', `'${path}' is not an absolute path`, { exitCode: 2 })
  makeDirectory(path, 0o700)
  const stat = lstatSync(path)
  if (!stat.isDirectory() || stat.uid !== uid()) {
    throw new MurderError('UNSAFE_DIRECTORY', `${path} is not a directory of this user`, {
      cure: 'remove it, or name another with --run-dir or MURDER_RUN_DIR',
    })
  }
  if ((stat.mode & 0o777) !== 0o700) chmodSync(path, 0o700)
}

export function readState(folder: string): RunState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(folder), 'utf8')) as RunState
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR') || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Atomic: a reader sees the old or the new state. */
export function writeState(folder: string, state: RunState): void {
  writeWhole(stateFile(folder), JSON.stringify(state), { mode: 0o600 })
}

/** A run touches its state this often, so that one of another container is known to live. */
export const TOUCH_MS = 3000
/** A run that was not touched for this long has ended, as when a container is stopped and started again. */
const SILENT_MS = 10_000

/** Whether its pid means nothing here, because the run directory is or was shared with another container. */
const isForeign = ({ state: { around } }: Run): boolean => around !== undefined && around !== surroundings()

export const isAlive = (run: Run | undefined): run is Run =>
  run !== undefined && (isForeign(run) ? wasTouched(run.folder) : isRunning(run.state))

function wasTouched(folder: string): boolean {
  const touched = statSync(stateFile(folder), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return Date.now() - touched < SILENT_MS
}

/** Throws SHARED_RUN_DIR: a process in another container can neither be ended from here, nor can its ports be reached. */
export function refuseForeign(root: string, runs: readonly Run[]): void {
  const foreign = runs.find((run) => isForeign(run) && isAlive(run))
  if (!foreign) return
  const { role, tag } = foreign.state
  throw new MurderError(
    'SHARED_RUN_DIR',
    `${root} is shared with another container, in which the ${role} ${tag} runs: processes there cannot be managed from here`,
    {
      exitCode: ExitCode.usage,
      cure: `name a directory of its own for each with --run-dir or MURDER_RUN_DIR; after a restart of the container wait ${SILENT_MS / 1000} s`,
    },
  )
}

export function findRun(root: string, role: Role, tag: string): Run | undefined {
  const folder = join(root, `${role}-${tag}`)
  const state = readState(folder)
  return state && { folder, state }
}

export function listRuns(root: string): Run[] {
  return namesIn(root)
    .filter((name) => /^(tracker|seeder|peer)-/.test(name))
    .flatMap((name) => {
      const state = readState(join(root, name))
      return state ? [{ folder: join(root, name), state }] : []
    })
    .sort((a, b) => a.state.started - b.state.started)
}

export function removeRun(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** A run that has no process and no folder yet. */
export type NewRun = Omit<RunState, keyof ProcessIdentity | 'started'>

/**
 * Takes the folder of a run for this process. A folder whose process has ended is replaced; one whose process runs
 * is returned instead as `taken`. Folders appear whole, by rename, so two processes can't both get one.
 */
export function claimRun(root: string, run: NewRun): { claimed: Run } | { taken: Run } {
  openPrivateDirectory(root)
  refuseForeign(root, listRuns(root))
  sweep(root)
  const folder = join(root, `${run.role}-${run.tag}`)
  const state: RunState = {
    ...run,
    ...ownIdentity(),
    started: Date.now(),
    ...defined({ around: surroundings() }),
  }
  const draft = join(root, `.new-${process.pid}`)
  mkdirSync(draft, { mode: 0o700 })
  try {
    writeState(draft, state)
    writeFileSync(reserveFile(draft), Buffer.alloc(RESERVE_BYTES, 'murder '), { mode: 0o600 })
    for (const file of [eventsFile(draft), logFile(draft)]) closeSync(openSync(file, 'a', 0o600))
    for (let attempt = 0; attempt < 10; attempt++) {
      try {
        renameSync(draft, folder)
        return { claimed: { folder, state } }
      } catch (error) {
        if (!isSystemError(error, 'ENOTEMPTY', 'EEXIST')) throw error
      }
      const taken = findRun(root, run.role, run.tag)
      if (isAlive(taken)) return { taken }
      discard(root, folder)
    }
    throw new MurderError('BUSY', `cannot take ${folder}: others keep taking it`, { cure: 'try again' })
  } finally {
    removeRun(draft)
  }
}

/** Removes a dead run's folder. If another process took the folder in between, it is put back. */
function discard(root: string, folder: string): void {
  const aside = join(root, `.old-${process.pid}`)
  try {
    renameSync(folder, aside)
    const state = readState(aside)
    if (state && isAlive({ folder: aside, state })) renameSync(aside, folder)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error
  }
  removeRun(aside)
}

/** Removes the drafts of launchers that were killed in the middle of `claimRun`. */
function sweep(root: string): void {
  for (const name of namesIn(root)) {
    const pid = /^\.(?:new|old)-(\d+)$/.exec(name)?.[1]
    if (pid && (Number(pid) === process.pid || !pidExists(Number(pid)))) removeRun(join(root, name))
  }
}

/** Names in a directory; none when it is gone. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}
