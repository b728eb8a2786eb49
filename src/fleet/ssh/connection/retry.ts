import { isExhausted, isLost, isTurnedAway, lostShared } from '../messages/diagnose.ts'
import type { SessionResult } from '../session.ts'
import type { MasterResult } from './master.ts'

/** Whether to connect again: sshd rejected us, or no process could be started, there or here (then `error` says so). */
export function isConnectionRetried(result: MasterResult): boolean {
  if (result.up || result.timedOut) return false
  const stderr = `${result.stderr}\n${result.error?.message ?? ''}`
  return isTurnedAway({ stderr, started: false }) || isExhausted({ stderr })
}

/** Whether to run a command again. One that has started is run again only when it is `repeatable`. */
export function isCommandRetried(result: SessionResult, repeatable: boolean): boolean {
  const { stop, started, exitCode } = result
  if (stop)
    return stop.why === 'error' && stop.error instanceof Error && isExhausted({ stderr: stop.error.message })
  if (lostShared(result) || isTurnedAway(result)) return true
  if (started && (!repeatable || exitCode === 0)) return false
  return isExhausted(result) || (repeatable && isLost(result))
}
