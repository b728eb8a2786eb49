import { posix } from 'node:path'
import type { Outcome } from '../../fleet/command.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { author } from '../context/author.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { agent } from '../paths/agent-program.ts'
import { placesOf } from '../paths/places.ts'
import { releasesPath, serverPaths } from '../paths/server-paths.ts'
import { factsScript, OPEN_FILES_SCRIPT, parseFacts } from '../scripts/facts-script.ts'
import { checkGuardScript } from '../scripts/guard/check-guard-script.ts'
import { lockStatusScript } from '../scripts/lock-script.ts'
import { halfMadeScript } from '../scripts/releases/clean-script.ts'
import { revertScript } from '../scripts/releases/publish-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'

function factsOf(
  context: Pick<TaskContext, 'settings' | 'shipit'>,
  server: Server,
  readOnly = false,
): string {
  const { content, sha256 } = agent()
  const facts = factsScript(
    { ...serverPaths(context, server), content: { bytes: content.length, sha256 } },
    readOnly,
  )
  return `${checkGuardScript(context)}\n${facts}`
}

/** Asks every server, in one command each, whether anything would fail later. */
export function ask(
  context: TaskContext,
  servers: readonly Server[] = context.fleet.servers,
): Promise<Outcome[]> {
  return context.fleet.run('check', (server) => ({ script: factsOf(context, server) }), {
    servers,
    signal: context.signal,
    totalTimeoutS: SCRIPT_TIMEOUT_S,
    repeatable: true,
  })
}

/** The same, and each server that answers is locked in the same command. Throws LOCKED. */
export async function askAndLock(context: TaskContext & Pick<Context, 'again' | 'lock'>): Promise<Outcome[]> {
  const { again, lock, signal } = context
  const after = (server: Server) => {
    const { deployTo, remotePath, temporaryPath } = placesOf(context, server)
    const halfMade = halfMadeScript({ remotePath, temporaryPath, releases: releasesPath(deployTo) })
    // A retry removes an unpublished copy left on servers that were unreachable during cleanup.
    const left = again
      ? `(${revertScript(deployTo, { release: again.release, isNew: true }, undefined, author())})`
      : ''
    return `${halfMade}\n${left}`
  }
  const outcomes = await lock.ask({ before: (server) => factsOf(context, server), after }, signal)
  // Another deploy may have published, and ended, after a server was asked and before it was locked.
  const isOld = (each: Outcome) =>
    each.ok && liveIn(each.stdout) !== posix.basename(lock.linkOf(each.server) ?? '')
  const old = outcomes.filter(isOld).map(({ server }) => server)
  if (old.length === 0) return outcomes
  const anew = new Map((await ask(context, old)).map((each) => [each.server, each]))
  return outcomes.map((each) => anew.get(each.server) ?? each)
}

const liveIn = (facts: string): string => parseFacts(facts).currentRelease ?? ''

/** Asks without making anything. Also asks what only a diagnosis needs: limits, and the owner of the lock. */
export function askReadOnly(context: TaskContext): Promise<Outcome[]> {
  const { fleet, signal } = context
  const script = (server: Server) => {
    const status = lockStatusScript(placesOf(context, server).remotePath)
    return [factsOf(context, server, true), OPEN_FILES_SCRIPT, status].join('\n')
  }
  const options = { signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
  return fleet.run('check', (server) => ({ script: script(server) }), options)
}
