import type { Outcome } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { agentPath } from '../context/agent-program.ts'
import type { Context } from '../context/context.ts'
import { releasesPath } from '../context/server-paths.ts'
import { halfMadeScript } from '../scripts/clean-script.ts'
import { factsScript } from '../scripts/facts-script.ts'
import { lockStatusScript } from '../scripts/lock-script.ts'
import { revertScript } from '../scripts/publish-script.ts'

/** Seconds that a server may take to answer a handful of questions. */
export const PATIENCE = 60

/** Asks every server, in one command each, whether anything would fail later. */
export function ask(
  context: Context,
  servers: readonly Server[] = context.fleet.servers,
): Promise<Outcome[]> {
  const script = questions(context)
  return context.fleet.run('check', () => ({ script }), {
    servers,
    signal: context.signal,
    totalTimeout: PATIENCE,
    repeatable: true,
  })
}

/** The same, and each server that has an answer is locked in the same command. Throws LOCKED. */
export async function askAndLock(context: Context): Promise<Outcome[]> {
  const { again, lock, settings, shipit, signal } = context
  const { deployTo = '' } = shipit.config
  const halfMade = halfMadeScript({ temporaryPath: settings.temporaryPath, releases: releasesPath(deployTo) })
  // What is repeated may be there unpublished, where a server could not be reached any more to remove it.
  const left = again ? `(${revertScript(deployTo, { release: again.release, isNew: true }, undefined)})` : ''
  return lock.ask({ before: questions(context), after: `${halfMade}\n${left}` }, signal)
}

/** Asks without making anything, and also for what only a diagnosis needs: limits, and who has the lock. */
export function askReadOnly(context: Context): Promise<Outcome[]> {
  const { fleet, settings, signal } = context
  const limits = `say files "$(ulimit -n | sed 's/unlimited/999999999/')"`
  const script = [questions(context, true), limits, lockStatusScript(settings.remotePath)].join('\n')
  return fleet.run('check', () => ({ script }), { signal, totalTimeout: PATIENCE, repeatable: true })
}

function questions({ settings, shipit }: Context, readOnly = false): string {
  const { deployTo = '' } = shipit.config
  const { remotePath, temporaryPath, node } = settings
  return factsScript({ deployTo, remotePath, temporaryPath, node, agent: agentPath(settings) }, readOnly)
}
