import { readFileSync } from 'node:fs'

/** A process that can't be mistaken for a later one that was given the same pid. */
export interface ProcessIdentity {
  pid: number
  /** When it started, in the kernel's own terms; only good for comparing. */
  start: string
}

/** `/proc/<pid>/stat` (proc(5)): the state is the 1st and the start time the 20th field after the `)` of the name. */
function startFromProc(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

/** For systems without /proc (a deploy host with macOS). */
function startFromPs(pid: number): string | undefined {
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim() ||
      undefined
    )
  } catch {
    return undefined // ps exits with 1 when there is no such process
  }
}

/** The start time of a running process; undefined when there is none or only its zombie. */
export function startOf(pid: number): string | undefined {
  try {
    return startFromProc(pid)
  } catch {
    return process.platform === 'linux' ? undefined : startFromPs(pid)
  }
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid) ?? '' }
}

export function isRunning({ pid, start }: ProcessIdentity): boolean {
  return startOf(pid) === start
}
