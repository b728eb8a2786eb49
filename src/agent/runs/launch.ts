import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MurderError } from '../../errors.ts'
import { encodeJob, type Job } from './job.ts'
import { logFile, type Run } from './run-directory.ts'

/** The hidden command of `murder` that does a job in the background. */
const BACKGROUND = 'background'

/** This program: the built file holds all of it. */
const program = () => fileURLToPath(import.meta.url)

export interface Launched {
  pid: number
  hasExited(): boolean
}

/**
 * Starts a process of its own session for a claimed run. It survives this process and its terminal, and keeps none of
 * its files open, so that an SSH command which started it can end.
 */
export function launch(job: Job, run: Run): Launched {
  const log = openSync(logFile(run.folder), 'a', 0o600)
  const child = spawn(process.execPath, [...process.execArgv, program(), BACKGROUND, run.folder], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', log, log],
  })
  closeSync(log)
  let exited = false
  child.on('error', () => {
    exited = true // it could not be started at all; a follower sees that it isn't there
  })
  child.on('exit', () => {
    exited = true
  })
  // If it ends before it has read the job, its follower notices.
  child.stdin?.on('error', () => {})
  child.stdin?.end(encodeJob(job))
  child.unref()
  return { pid: child.pid ?? 0, hasExited: () => exited }
}

/** The error for a background process that ended without an event (killed, out of memory). */
export function diedError(run: Run): MurderError {
  const { role, tag, pid } = run.state
  const last = lastLogLine(run.folder)
  return new MurderError(
    'DIED',
    `the ${role} ${tag} (pid ${pid}) ended unexpectedly${last ? `: ${last}` : ''}`,
    {
      cure: 'run the same command again: it goes on from what is here',
    },
  )
}

function lastLogLine(folder: string): string | undefined {
  try {
    const lines = readFileSync(logFile(folder), 'utf8').trim().split('\n')
    return lines.find((line) => /error|fatal/i.test(line))?.trim() || lines.at(-1)?.trim() || undefined
  } catch {
    return undefined // the run's folder was removed, and the log with it
  }
}
