import type { Server } from '../../fleet/ssh/server.ts'
import { author } from '../context/author.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { count, say } from '../outcome/say.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { deployToOf } from '../paths/places.ts'
import { parseReleases, releasesScript } from '../scripts/releases/releases-script.ts'
import { noteStagedScript } from '../scripts/releases/staged-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { stagedReleases, supersededReleases } from './history.ts'
import { lockOnly } from './lock-only.ts'
import { removeReleases } from './remove-releases.ts'

/** Notes that the release is staged, and removes the one that was staged before it. Throws FLEET_FAILED or LOCKED. */
export async function noteStaged(context: Context, release: string): Promise<void> {
  const { fleet, lock, shipit, signal } = context
  const noted = author()
  const note = (server: Server) => ({
    script: `${lock.fence(server)}
fence || exit 1
${noteStagedScript(deployToOf(shipit, server), noted, release)}`,
  })
  const options = { signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
  const outcomes = await fleet.run('stage', note, options)
  signal.throwIfAborted()
  tolerate(context, failuresOf(outcomes, 'stage'), 'nothing was staged')
  const removals = [...parseReleases(outcomes)].map(
    ([server, found]) => [server, supersededReleases(found)] as const,
  )
  for (const { server, cause } of failuresOf(await removeReleases(context, new Map(removals)), 'clean'))
    shipit.log(`${server}: the release that was staged before may be left: ${cause}`)
}

/** `murder:unstage`: removes what waits to be published. Throws FLEET_FAILED or LOCKED. */
export async function unstage(context: Context): Promise<void> {
  const { lock, shipit, signal } = context
  const asked = await lock.ask(
    lockOnly(context, (server) => releasesScript(deployToOf(shipit, server))),
    signal,
  )
  const removals = new Map(
    [...parseReleases(asked)].map(([server, found]) => [server, stagedReleases(found)] as const),
  )
  const removed = await removeReleases(context, removals)
  signal.throwIfAborted()
  const gone = new Set(removed.flatMap(({ ok, server }) => (ok ? [server] : [])))
  const servers = [...removals].flatMap(([server, releases]) =>
    gone.has(server) ? [{ server: server.label, releases }] : [],
  )
  const lines = servers.map(({ server, releases }) => `${server}: removed ${releases.join(', ')}`)
  const text = removals.size > 0 && lines.length === 0 ? 'Nothing is staged' : lines.join('\n')
  if (text !== '') say(context, text, 'unstaged', { servers })
  assertNoFailures(
    context,
    [...failuresOf(asked, 'check'), ...failuresOf(removed, 'clean')],
    'it may still be staged there',
  )
}

/** Says what is staged for the next deploy. */
export function tellStaged(context: Pick<TaskContext, 'display' | 'fleet' | 'shipit'>): void {
  const { fleet, shipit } = context
  const release = shipit.releaseDirname ?? ''
  const text = `Staged ${release} on ${count(fleet.servers.length, 'server')}: a deploy of the same content publishes it`
  say(context, text, 'staged', { release, servers: fleet.servers.map(({ label }) => label) })
}
