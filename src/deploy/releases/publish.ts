import { posix } from 'node:path'
import { interrupted } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { author } from '../context/author.ts'
import type { Context } from '../context/context.ts'
import { failuresOf, fleetError, tellFailures } from '../outcome/fleet-error.ts'
import { isTolerated, tolerate } from '../outcome/tolerate.ts'
import { deployToOf } from '../paths/server-paths.ts'
import {
  healthScript,
  type Publication,
  publishScript,
  revertScript,
} from '../scripts/releases/publish-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { groupsOf } from './batch.ts'
import { checkReleaseName } from './choose/check-release-name.ts'
import { mostCommon } from './choose/choose-release.ts'

/**
 * Makes `current` point to the release on every server, group by group, and checks their health in between. When more fail
 * than is tolerated, all go back to what they had, unless `revert` is off, and this throws FLEET_FAILED. Ctrl-C does the
 * same, but when all have published: then it comes too late. Throws NOTHING_TO_PUBLISH.
 */
export async function publish(context: Context, publication: Publication): Promise<void> {
  const { fleet, settings, shipit } = context
  checkReleaseName(publication.release)
  context.lock.publishes(publication.release)
  const links: Links = new Map()
  const groups = groupsOf(fleet.servers, settings.batch)
  for (const [index, group] of groups.entries()) {
    if (context.signal.aborted) throw interrupted(await giveUp(context, publication, links))
    if (groups.length > 1) {
      const names = group.map(({ label }) => label).join(', ')
      shipit.log(`Publishing group ${index + 1} of ${groups.length}: ${names}`)
    }
    const failures = await publishGroup(context, group, publication, links)
    if (failures.length === 0) continue
    const failed = new Set(failures.map(({ server }) => server))
    if (!context.signal.aborted && isTolerated(context, failures)) {
      const servers = group.filter(({ label }) => failed.has(label))
      const notBack = await goBack(context, servers, publication, links)
      tolerate(context, [...failures, ...notBack.filter(({ server }) => !failed.has(server))], 'published')
      continue
    }
    const consequence = await giveUp(context, publication, links)
    if (context.signal.aborted) throw interrupted(consequence)
    const all = [...context.leftOut, ...failures]
    tellFailures(context, all)
    throw fleetError(all, consequence, context)
  }
}

/** What `current` pointed to before; an empty text where there was none. Servers that were asked, in that order. */
type Links = Map<Server, string>

async function publishGroup(
  context: Context,
  servers: readonly Server[],
  publication: Publication,
  links: Links,
): Promise<Failure[]> {
  const { fleet, settings, shipit, lock, record, picture } = context
  const deployTo = deployToOf(shipit)
  const noted = author()
  for (const { label } of servers) picture.enter(label, 'publish')
  const outcomes = await fleet.run(
    'publish',
    (server) => ({
      script: publishScript(deployTo, publication, noted, lock.fence(server)),
      onLine: (line) => {
        // When the connection breaks the command runs again: what was there before is what the first one has found.
        if (line.startsWith('was=') && !links.has(server)) links.set(server, line.slice(4))
      },
    }),
    // Ctrl-C waits for it: a script that has begun would go on, and publish after all was taken back.
    { servers, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true },
  )
  const failures = failuresOf(outcomes, 'publish')
  const published = outcomes.flatMap(({ ok, server }) => (ok ? [server] : []))
  const isChecked = settings.healthCheck !== undefined
  for (const { label } of published) {
    record.published(label, true)
    picture.enter(label, isChecked ? 'health' : 'live')
  }
  if (settings.healthCheck === undefined) return failures
  const unhealthy = await checkHealth(context, settings.healthCheck, published)
  const failed = new Set(unhealthy.map(({ server }) => server))
  for (const { label } of published) if (!failed.has(label)) picture.enter(label, 'live')
  return [...failures, ...unhealthy]
}

async function checkHealth(
  { fleet, settings, shipit, signal }: Context,
  healthCheck: string,
  servers: readonly Server[],
): Promise<Failure[]> {
  const script = healthScript(deployToOf(shipit), healthCheck)
  const totalTimeoutS = settings.timeouts.health
  const outcomes = await fleet.run('health', () => ({ script }), { servers, signal, totalTimeoutS })
  return failuresOf(outcomes, 'health')
}

/** Undoes the whole publication unless `revert` is off. Returns a sentence about what is live now. */
async function giveUp(context: Context, publication: Publication, links: Links): Promise<string> {
  const { fleet, settings } = context
  if (!settings.revert) return `${publication.release} stays where it was published (murder.revert is off)`
  const notBack = await goBack(context, fleet.servers, publication, links)
  const before = mostCommon([...links.values()].map((link) => posix.basename(link)))
  if (before) await publication.onReverted?.(before)
  if (notBack.length === 0) return 'every server has what it had before'
  const names = notBack.map(({ server, cause }) => `${server} (${cause})`).join(', ')
  if (notBack.length >= fleet.servers.length) return `no server got back what it had before: ${names}`
  return `all servers have what they had before, but ${names}`
}

/** Servers that publish failed on, or that have published, get back what they had. Gives where that failed. */
async function goBack(
  { fleet, lock, shipit, record, picture }: Context,
  servers: readonly Server[],
  publication: Publication,
  links: Links,
): Promise<Failure[]> {
  const deployTo = deployToOf(shipit)
  const noted = author()
  const outcomes = await fleet.run(
    'revert',
    (server) => ({
      script: revertScript(deployTo, publication, links.get(server), noted, lock.fence(server)),
    }),
    { servers, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true },
  )
  for (const { ok, server } of outcomes) {
    if (!ok) continue
    record.published(server.label, false)
    picture.enter(server.label, 'ready')
  }
  return failuresOf(outcomes, 'revert')
}
