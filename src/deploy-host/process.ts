import { readFileSync, readlinkSync } from 'node:fs'
import { isRunning, ownIdentity } from '../agent/process-identity.ts'

/** What tells apart all whose process numbers are not ours: the boot and the pid namespace, proc(5). Only Linux has them. */
function surroundings(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

/** This process, in words that a later one can look up; undefined where there are none. */
export function nameOwnProcess(): string | undefined {
  const around = surroundings()
  const { pid, start } = ownIdentity()
  return around === undefined ? undefined : `${pid} ${start} ${around}`
}

/** Whether that process was one of this machine and has ended. */
export function hasEnded(name: string | undefined): boolean {
  const [pid, start = '', ...around] = name?.split(' ') ?? []
  return around.length > 0 && around.join(' ') === surroundings() && !isRunning({ pid: Number(pid), start })
}
