import { posix } from 'node:path'
import type { Server } from '../../fleet/ssh/server.ts'
import { runsNow } from '../../protocol/run-status.ts'
import type { Failure } from '../../report/failures.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { localTaskHost } from '../hosts/hosts.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { agent } from '../paths/agent-program.ts'
import { environmentDirectory } from '../paths/local-paths.ts'
import { placesOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'
import { leftovers } from '../releases/history.ts'
import { removeReleases } from '../releases/remove-releases.ts'
import { libraryAt } from '../scripts/library.ts'
import { lockStatusScript, othersLock } from '../scripts/lock-script.ts'
import { cleanScript } from '../scripts/releases/clean-script.ts'
import { parseServerReleases, releasesScript } from '../scripts/releases/releases-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { removeTransfer } from '../transfer/stored-transfer.ts'
import { findSeeders } from './seed.ts'

/** How long a server may take: a half-made release may be large. */
const CLEAN_TIMEOUT_S = 600

interface Cleaned {
  /** `transfer 20260102030405`, in the order of the work. */
  removed: string[]
  /** Running transfers, which were left alone. */
  running: string[]
  /** What could not be removed, and why. */
  stuck: string[]
}

/**
 * `murder:clean`: removes leftovers on the servers and here. Also removes releases that were never published, unless a deploy may
 * be about to. It never removes another release or anything that is in use.
 */
export async function clean(context: Context): Promise<void> {
  const { fleet } = context
  const script = (server: Server) => {
    const { deployTo, remotePath, temporaryPath } = placesOf(context, server)
    const library = posix.basename(libraryAt(remotePath).path)
    const releases = releasesPath(deployTo)
    return cleanScript({ temporaryPath, remotePath, releases, agent: agent().name, library })
  }
  const outcomes = await fleet.run('clean', (server) => ({ script: script(server) }), {
    servers: [...fleet.servers, ...fleet.besides],
    totalTimeoutS: CLEAN_TIMEOUT_S,
  })
  const cleaned = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, ...parseCleaned(outcome.stdout) }] : [],
  )
  const failures = [...failuresOf(outcomes, 'clean'), ...(await cleanUnpublished(context))]
  const here = await cleanHere(context)
  const all = [...cleaned, { server: 'deploy host', ...here }]
  const lines = all.flatMap(({ server, removed, running, stuck }) => [
    ...removed.map((what) => `${server}: removed ${what}`),
    ...running.map((what) => `${server}: left ${what}, which is running`),
    ...stuck.map((what) => `${server}: could not remove ${what}`),
  ])
  if (lines.length === 0) lines.push('Nothing to clean')
  say(context, lines.join('\n'), 'cleaned', { servers: all })
  assertNoFailures(context, failures, 'they were not cleaned')
}

/** Removes the releases of deploys that were killed, on servers that are not locked. */
async function cleanUnpublished(
  context: Pick<Context, 'fleet' | 'lock' | 'settings' | 'shipit' | 'signal'>,
): Promise<Failure[]> {
  const { fleet, shipit } = context
  const ask = (server: Server) => {
    const { deployTo, remotePath } = placesOf(context, server)
    return { script: `${lockStatusScript(remotePath)}\n${releasesScript(deployTo)}` }
  }
  const asked = await fleet.run('clean', ask, { totalTimeoutS: SCRIPT_TIMEOUT_S })
  const removals = new Map(
    asked.flatMap((outcome) =>
      outcome.ok && !othersLock(outcome.stdout)
        ? [[outcome.server, leftovers(parseServerReleases(outcome.stdout))] as const]
        : [],
    ),
  )
  for (const [{ label }, names] of removals)
    for (const name of names) shipit.log(`${label}: removing ${name}, which was never published`)
  return failuresOf(await removeReleases(context, removals), 'clean')
}

/** Removes the package of this environment unless it is being seeded, and the notes of runs that have failed. */
async function cleanHere(context: TaskContext): Promise<Cleaned> {
  const { environment } = context.shipit
  const seeders = await findSeeders(context)
  if (seeders.length > 0)
    return { removed: [], stuck: [], running: [`package ${seeders.map(({ tag }) => tag).join(', ')}`] }
  const removed = (await removeTransfer(context)) ? [`package ${environmentDirectory(environment)}`] : []
  const here = localTaskHost(context)
  for (const run of (await here?.status()) ?? []) {
    if (!runsNow(run)) await here?.run(['stop', run.tag])
  }
  return { removed, running: [], stuck: [] }
}

export function parseCleaned(output: string): Cleaned {
  const after = (word: string) =>
    output
      .split('\n')
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.slice(word.length + 1))
  return { removed: after('removed'), running: after('running'), stuck: after('stuck') }
}
