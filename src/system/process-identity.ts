import { readFileSync, readlinkSync } from 'node:fs'
import { isSystemError } from '../errors.ts'

/** Identifies a process, even if a later one gets the same pid. */
export interface ProcessIdentity {
  pid: number
  /** Its start time, in a unit of the kernel, for comparison only. */
  start: string
}

/** `/proc/<pid>/stat` (proc(5)): the state is the 1st and the start time the 20th field after the `)` of the name. */
function startFromProc(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

/** For a deploy host without /proc, such as macOS. */
function startFromPs(pid: number): string | undefined {
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  try {
    return (
      execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim() ||
      undefined
    )
  } catch {
    return undefined // ps exits with 1 when there is no such process.
  }
}

/** Some containers have no /proc, or that of another pid namespace. Then only the pid identifies a process. */
let procIsOurs: boolean | undefined

function hasProc(): boolean {
  if (procIsOurs === undefined) {
    try {
      procIsOurs = readlinkSync('/proc/self') === String(process.pid)
    } catch {
      procIsOurs = false
    }
  }
  return procIsOurs
}

/** The start time of a running process; undefined when there is none, or only a zombie. */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return startFromPs(pid)
  if (!hasProc()) return pidExists(pid) ? 'unknown' : undefined
  try {
    return startFromProc(pid)
  } catch {
    return undefined
  }
}

export function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !isSystemError(error, 'ESRCH')
  }
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid) ?? '' }
}

export function isRunning({ pid, start }: ProcessIdentity): boolean {
  return startOf(pid) === start
}

const PID_NAMESPACE = '/proc/self/ns/pid'
/** The PID namespace of the machine itself (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]'

/** The number of this container's pid namespace; undefined outside of containers. */
export function containerName(): string | undefined {
  try {
    const name = readlinkSync(PID_NAMESPACE)
    return name === FIRST_PID_NAMESPACE ? undefined : /\d+/.exec(name)?.[0]
  } catch {
    return undefined
  }
}

/** The boot and the pid namespace, proc(5): pids are comparable only where both are the same. Linux only. */
export function surroundings(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync(PID_NAMESPACE)}`
  } catch {
    return undefined
  }
}

/** A name of this process that a later one can check with `hasEnded`; undefined where there is none. */
export function nameOwnProcess(): string | undefined {
  const around = surroundings()
  const { pid, start } = ownIdentity()
  return around === undefined ? undefined : `${pid} ${start} ${around}`
}

/** Whether the named process ran on this machine and has ended. */
export function hasEnded(name: string | undefined): boolean {
  const [pid, start = '', ...around] = name?.split(' ') ?? []
  return around.length > 0 && around.join(' ') === surroundings() && !isRunning({ pid: Number(pid), start })
}
