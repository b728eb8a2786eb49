import type { Outcome } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { author } from '../context/author.ts'
import type { Context } from '../context/context.ts'
import { agent } from '../paths/agent-program.ts'
import { deployToOf, releasesPath, serverPaths } from '../paths/server-paths.ts'
import { factsScript, OPEN_FILES_SCRIPT } from '../scripts/facts-script.ts'
import { lockStatusScript } from '../scripts/lock-script.ts'
import { halfMadeScript } from '../scripts/releases/clean-script.ts'
import { revertScript } from '../scripts/releases/publish-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'

function factsPaths(context: Context) {
  const { content, sha256 } = agent()
  return { ...serverPaths(context), content: { bytes: content.length, sha256 } }
}

/** Asks every server, in one command each, whether anything would fail later. */
export function ask(
  context: Context,
  servers: readonly Server[] = context.fleet.servers,
): Promise<Outcome[]> {
  const script = factsScript(factsPaths(context))
  return context.fleet.run('check', () => ({ script }), {
    servers,
    signal: context.signal,
    totalTimeoutS: SCRIPT_TIMEOUT_S,
    repeatable: true,
  })
}

/** The same, and each server that answers is locked in the same command. Throws LOCKED. */
export async function askAndLock(context: Context): Promise<Outcome[]> {
  const { again, lock, settings, shipit, signal } = context
  const deployTo = deployToOf(shipit)
  const { remotePath, temporaryPath } = settings
  const halfMade = halfMadeScript({ remotePath, temporaryPath, releases: releasesPath(deployTo) })
  // A retry removes an unpublished copy left on servers that were unreachable during cleanup.
  const left = again
    ? `(${revertScript(deployTo, { release: again.release, isNew: true }, undefined, author())})`
    : ''
  return lock.ask({ before: factsScript(factsPaths(context)), after: `${halfMade}\n${left}` }, signal)
}

/** Asks without making anything, and also what only a diagnosis needs: limits, and who has the lock. */
export function askReadOnly(context: Context): Promise<Outcome[]> {
  const { fleet, settings, signal } = context
  const facts = factsScript(factsPaths(context), true)
  const script = [facts, OPEN_FILES_SCRIPT, lockStatusScript(settings.remotePath)].join('\n')
  return fleet.run('check', () => ({ script }), { signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true })
}
