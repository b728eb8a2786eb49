import { MurderError } from '../../../errors.ts'
import type { Outcome } from '../../../fleet/command.ts'
import type { Server } from '../../../fleet/ssh/server.ts'
import { hasEnded } from '../../../system/process-identity.ts'
import { duration, oneLine } from '../../../text/format.ts'
import { type FoundLock, othersLock } from '../../scripts/lock-script.ts'
import { shipitCommand } from '../shipit-command.ts'

/** A lock, and the label of its server. */
export interface NamedLock {
  server: string
  lock: FoundLock
}

export interface Refusal {
  server: Server
  lock: FoundLock
}

/**
 * A lock whose deploy ran on this machine and has ended. The server does not know, because the connection was cut, not closed.
 */
export const isLeft = ({ kind, process }: FoundLock) => kind === 'deploy' && hasEnded(process)

export const named = ({ server, lock }: Refusal): NamedLock => ({ server: server.label, lock })

/** The locks of others that servers have found. */
export const namedLocks = (outcomes: readonly Outcome[]): NamedLock[] => refusals(outcomes).map(named)

export function refusals(outcomes: readonly Outcome[]): Refusal[] {
  return outcomes.flatMap((outcome) => {
    const lock = outcome.ok ? othersLock(outcome.stdout) : undefined
    return lock === undefined ? [] : [{ server: outcome.server, lock }]
  })
}

/** One sentence for all servers that are locked. */
export function lockedError(found: readonly NamedLock[], environment: string): MurderError {
  const [{ server, lock } = { server: '?', lock: undefined }] = found
  const where = found.length === 1 ? server : `${server} and ${found.length - 1} more`
  const { who = '?', what = '?', when = '?', age = 0, kind } = lock ?? {}
  const text = `${where} ${found.length === 1 ? 'is' : 'are'} locked by ${who} since ${when} (${duration(Math.max(0, age))} ago): ${what}`
  const end = kind === 'deploy' ? 'wait until it is done' : 'ask them'
  return new MurderError('LOCKED', oneLine(text), {
    cure: `${end}, or break the lock: ${shipitCommand(environment, 'murder:unlock')}`,
  })
}
