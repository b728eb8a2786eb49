import { runsNow } from '../../protocol/run-status.ts'
import { agent } from '../context/agent-program.ts'
import type { Context } from '../context/context.ts'
import { environmentDirectory } from '../context/local-paths.ts'
import { releasesPath } from '../context/server-paths.ts'
import { localTaskHost } from '../hosts/hosts.ts'
import { assertNoFailures, failuresOf } from '../outcome/fleet-error.ts'
import { say } from '../outcome/say.ts'
import { cleanScript } from '../scripts/clean-script.ts'
import { removeTransfer } from '../transfer/stored-transfer.ts'
import { findSeeders } from './seed.ts'

/** How long a server may take: a half-made release may be large. */
const CLEAN_TIMEOUT_S = 600

interface Cleaned {
  /** `transfer 20260102030405`, in the order of the work. */
  removed: string[]
  /** Transfers that run, so they were left alone. */
  running: string[]
}

/** `murder:clean`: removes leftovers on the servers and here. It never removes a release or anything that is in use. */
export async function clean(context: Context): Promise<void> {
  const { fleet, shipit, settings } = context
  const script = cleanScript({
    temporaryPath: settings.temporaryPath,
    remotePath: settings.remotePath,
    releases: releasesPath(shipit.config.deployTo ?? ''),
    agent: agent().name,
  })
  const outcomes = await fleet.run('clean', () => ({ script }), {
    servers: [...fleet.servers, ...fleet.besides],
    totalTimeout: CLEAN_TIMEOUT_S,
  })
  const cleaned = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, ...parseCleaned(outcome.stdout) }] : [],
  )
  const failures = failuresOf(outcomes, 'clean')
  const here = await cleanHere(context)
  const all = [...cleaned, { server: 'deploy host', ...here }]
  const lines = all.flatMap(({ server, removed, running }) => [
    ...removed.map((what) => `${server}: removed ${what}`),
    ...running.map((what) => `${server}: left ${what}, which is running`),
  ])
  if (lines.length === 0) lines.push('Nothing to clean')
  say(context, lines.join('\n'), 'cleaned', { servers: all })
  assertNoFailures(context, failures, 'they were not cleaned')
}

/** Removes the package of this environment unless it is being seeded, and the notes of runs that have failed. */
async function cleanHere(context: Context): Promise<Cleaned> {
  const { environment } = context.shipit
  const seeders = await findSeeders(context)
  if (seeders.length > 0)
    return { removed: [], running: [`package ${seeders.map(({ tag }) => tag).join(', ')}`] }
  const removed = (await removeTransfer(context)) ? [`package ${environmentDirectory(environment)}`] : []
  const here = localTaskHost(context)
  for (const run of (await here?.status()) ?? []) {
    if (!runsNow(run)) await here?.run(['stop', run.tag])
  }
  return { removed, running: [] }
}

export function parseCleaned(output: string): Cleaned {
  const after = (word: string) =>
    output
      .split('\n')
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.slice(word.length + 1))
  return { removed: after('removed'), running: after('running') }
}
