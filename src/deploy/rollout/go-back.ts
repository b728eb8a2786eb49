import { posix } from 'node:path'
import type { Settings } from '../../config/schema.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { pause } from '../../system/backoff.ts'
import { nameSome } from '../../text/format.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { mostCommon } from '../releases/choose/choose-release.ts'
import { type Links, revertOn } from '../releases/publish.ts'
import type { Publication } from '../scripts/releases/publish-script.ts'
import type { Group } from './groups.ts'
import type { Guards } from './guards.ts'
import { activate, undoMore } from './hooks.ts'
import type { Service, StepFailures } from './service.ts'

const SHOWN_SERVERS = 5
/** Between two attempts to reach a server that goes back. */
const RETRY_PAUSE_S = 2

/** What has been changed so far, and what of it can be taken back. */
export interface Change {
  context: Context
  publication: Publication
  links: Links
  service: Service
  guards: Guards
}

interface Extent {
  revert: Settings['rollout']['revert']
  /** The group that has failed. */
  group: Group<Server>
  /** Those before it, in their order. */
  done: readonly Group<Server>[]
}

/** Takes back as much as `revert` says. Returns a sentence about what is live now. */
export function undo(change: Change, extent: Extent): Promise<string> {
  const { release } = change.publication
  if (extent.revert === false)
    return Promise.resolve(`${release} stays where it was published (murder.revert is off)`)
  return extent.revert === 'group' ? undoGroup(change, extent) : undoAll(change, extent)
}

/** Starts with the group that failed, which is already out of service. Without hooks, all servers at once. */
async function undoAll(change: Change, { group, done }: Extent): Promise<string> {
  const { context, publication, links, service } = change
  const { servers } = context.fleet
  const notBack: Failure[] = []
  const groups = service.hasHooks ? [group, ...[...done].reverse()] : []
  for (const each of groups) notBack.push(...(await goBack(change, among(context, each), each)))
  const gone = new Set(groups.flatMap((each) => each.servers))
  const others = servers.filter((server) => !gone.has(server))
  notBack.push(...(await goBack(change, others)))
  const before = mostCommon([...links.values()].map((link) => posix.basename(link)))
  if (before) await publication.onReverted?.(before, { isWhole: true })
  if (notBack.length === 0) return 'every server has what it had before'
  if (notBack.length >= servers.length) return `no server got back what it had before: ${named(notBack)}`
  return `all servers have what they had before, but ${named(notBack)}`
}

/** The release itself stays on the servers, because murder:resume goes on with it. */
async function undoGroup(change: Change, { group, done }: Extent): Promise<string> {
  const { context, publication, links } = change
  const servers = among(context, group)
  const before = mostCommon(servers.flatMap((server) => posix.basename(links.get(server) ?? '') || []))
  const notBack = await goBack({ ...change, publication: { ...publication, isNew: false } }, servers, group)
  for (const server of servers) links.delete(server)
  if (before) await publication.onReverted?.(before, { isWhole: false })
  const others = done.length === 0 ? '' : `, and ${publication.release} stays on the groups before`
  return `the group that failed has what it had before${notBack.length > 0 ? `, but ${named(notBack)}` : ''}${others}`
}

const named = (failures: readonly Failure[]) =>
  failures.map(({ server, cause }) => `${server} (${cause})`).join(', ')

const among = ({ fleet }: Pick<TaskContext, 'fleet'>, { servers }: Group<Server>): Server[] =>
  servers.filter((server) => fleet.servers.includes(server))

/**
 * Returns the servers that did not get back what they had. Other failures are reported and stop nothing. `group`: the whole group
 * is taken out of service for this, and put back.
 */
export async function goBack(
  change: Change,
  servers: readonly Server[],
  group?: Group<Server>,
): Promise<Failure[]> {
  const { context, links, service, guards } = change
  const tell = ({ failures, stopped }: StepFailures) => {
    for (const { server, step, cause } of failures)
      context.shipit.log(`${server}: ${step} failed on the way back: ${cause}`)
    if (stopped) context.shipit.log(stopped.message)
  }
  const live = servers.filter((server) => links.has(server))
  const reached = live.filter((server) => !guards.isUnreached(server))
  if (reached.length > 0) tell(await service.takeOut(group, reached))
  const notBack = await revert(change, servers)
  const failed = new Set(notBack.map(({ server }) => server))
  // A guard that has gone back has run all of these, too.
  const back = live.filter((server) => !failed.has(server.label) && !guards.hasGoneBack(server))
  for (const [release, its] of byRelease(back, links)) {
    if (release !== '') tell({ failures: await activate(context, its, release) })
    tell({ failures: await undoMore(context, its, release) })
  }
  tell(await service.putBack(group, servers))
  return notBack
}

/** Where no new connection has reached a server, its guard goes back: until it has, it is asked again. */
async function revert(
  { context, publication, links, guards }: Change,
  servers: readonly Server[],
): Promise<Failure[]> {
  const { settings } = context
  const end = performance.now() + 1000 * (settings.rollout.confirm + guards.goingBackS)
  let failures = await revertOn(context, servers, publication, links, guards)
  for (let attempt = 1; ; attempt++) {
    const failed = new Set(failures.map(({ server }) => server))
    const waiting = servers.filter(
      (server) => failed.has(server.label) && guards.isArmed(server) && guards.isUnreached(server),
    )
    if (waiting.length === 0 || performance.now() > end) return failures
    const labels = new Set(waiting.map(({ label }) => label))
    if (attempt === 1)
      context.shipit.log(`Waiting for ${nameSome([...labels], SHOWN_SERVERS)}, where a guard goes back`)
    await pause(RETRY_PAUSE_S)
    const again = await revertOn(context, waiting, publication, links, guards)
    failures = [...failures.filter(({ server }) => !labels.has(server)), ...again]
  }
}

function byRelease(servers: readonly Server[], links: Links): Map<string, Server[]> {
  const releases = new Map<string, Server[]>()
  for (const server of servers) {
    const release = posix.basename(links.get(server) ?? '')
    releases.set(release, [...(releases.get(release) ?? []), server])
  }
  return releases
}
