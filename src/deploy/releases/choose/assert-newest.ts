import { ExitCode, MurderError } from '../../../errors.ts'
import type { Server } from '../../../fleet/ssh/server.ts'
import type { TaskContext } from '../../context/context.ts'
import { shipitCommand } from '../../context/shipit-command.ts'
import { deployToOf } from '../../paths/places.ts'
import { parseReleases, releasesScript } from '../../scripts/releases/releases-script.ts'
import { SCRIPT_TIMEOUT_S } from '../../timeouts.ts'
import { publishedSince } from '../history.ts'

/**
 * Checks that no other deploy or rollback, of another machine or a killed one, has published since. Servers that do not answer
 * are ignored. Returns the servers where it is live. Throws NOT_NEWEST.
 */
export async function assertNewest(
  { fleet, shipit, signal }: Pick<TaskContext, 'fleet' | 'shipit' | 'signal'>,
  release: string,
  servers: readonly Server[],
): Promise<Server[]> {
  const options = { servers, signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
  const outcomes = await fleet.run(
    'check',
    (server) => ({ script: releasesScript(deployToOf(shipit, server)) }),
    options,
  )
  signal.throwIfAborted()
  const found = parseReleases(outcomes)
  const later = publishedSince([...found.values()], release)
  if (later.length === 0)
    return [...found].flatMap(([server, { live }]) => (live === release ? [server] : []))
  throw new MurderError('NOT_NEWEST', `${later.join(', ')} was published after ${release}`, {
    exitCode: ExitCode.usage,
    cure: `deploy to all servers instead: ${shipitCommand(shipit.environment, 'deploy')}`,
  })
}
