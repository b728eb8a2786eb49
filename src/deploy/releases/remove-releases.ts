import type { Outcome } from '../../fleet/command.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Context } from '../context/context.ts'
import { deployToOf } from '../paths/places.ts'
import { parseStuck, removeReleasesScript } from '../scripts/releases/remove-releases-script.ts'
import { REMOVAL_TIMEOUT_S } from '../timeouts.ts'

/** Removes these releases on each server, and reports which could not be removed and why. Skips servers that have none. */
export async function removeReleases(
  { fleet, lock, shipit, signal }: Pick<Context, 'fleet' | 'lock' | 'shipit' | 'signal'>,
  removals: ReadonlyMap<Server, readonly string[]>,
): Promise<Outcome[]> {
  const servers = [...removals].flatMap(([server, names]) => (names.length > 0 ? [server] : []))
  const outcomes = await fleet.run(
    'clean',
    (server) => ({
      script: `${lock.fence(server)}
fence || exit 1
${removeReleasesScript(deployToOf(shipit, server), removals.get(server) ?? [])}`,
    }),
    { servers, signal, totalTimeoutS: REMOVAL_TIMEOUT_S, repeatable: true },
  )
  for (const outcome of outcomes) {
    if (!outcome.ok) continue
    for (const { release, cause } of parseStuck(outcome.stdout))
      shipit.log(`${outcome.server.label}: releases/${release} could not be removed: ${cause}`)
  }
  return outcomes
}
