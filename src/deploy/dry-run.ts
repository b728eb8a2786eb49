import { rm } from 'node:fs/promises'
import { webhook } from '../config/kinds/notify.ts'
import { seconds } from '../config/kinds/numbers.ts'
import { type Commands, commands as commandsKind, pause as pauseKind } from '../config/kinds/rollout.ts'
import type { Outcome } from '../fleet/command.ts'
import type { Server } from '../fleet/ssh/server.ts'
import { makeTemporaryDirectory } from '../system/temporary-directory.ts'
import { bytes } from '../text/format.ts'
import { table } from '../text/table.ts'
import type { Context, TaskContext } from './context/context.ts'
import { lockedError, namedLocks } from './context/lock/found-locks.ts'
import { isStaged } from './deltas/bases.ts'
import { Deltas } from './deltas/deltas.ts'
import { assertNoFailures, failuresOf } from './outcome/fleet-error.ts'
import { say } from './outcome/say.ts'
import { tolerate } from './outcome/tolerate.ts'
import { packageRelease } from './package-release.ts'
import { deployToOf } from './paths/places.ts'
import { releasesPath } from './paths/server-paths.ts'
import { askReadOnly } from './preflight/ask.ts'
import { inspect } from './preflight/preflight.ts'
import { checkSpace } from './preflight/space.ts'
import { keptReleases } from './releases/clean-releases.ts'
import { releasesToClean, stagedReleases } from './releases/history.ts'
import { wayBack } from './releases/rollback.ts'
import { nameGroup, planOf } from './rollout/plan.ts'
import { parseReleases, parseServerReleases, releasesScript } from './scripts/releases/releases-script.ts'
import { SCRIPT_TIMEOUT_S } from './timeouts.ts'
import { getsText, travelsText } from './transfer/tell-transfer.ts'

const show = (context: Pick<TaskContext, 'display' | 'shipit'>, text: string) =>
  say(context, `Dry run: ${text}`)

/** Asks the servers, packages, and says what deploy:update would do. Throws the error that would stop it. */
export async function tryDeploy(context: Context): Promise<void> {
  const { fleet, settings, shipit } = context
  const outcomes = await askReadOnly(context)
  const locks = namedLocks(outcomes)
  if (locks.length > 0) throw lockedError(locks, shipit.environment)
  const { facts, failures } = await inspect(context, Promise.resolve(outcomes), { readOnly: true })
  tolerate(context, failures, 'a deploy would end here')
  const directory = makeTemporaryDirectory('shipit-murder-')
  const making = new Deltas(context, facts, directory)
  try {
    const { extent, gets } = await packageRelease(context, { tag: 'dry-run', directory, facts, making })
    tolerate(context, checkSpace(fleet.servers, facts, gets, context.staging && 2), 'a deploy would end here')
    const rows = fleet.servers.map((server) => {
      const found = facts.get(server)
      const { currentRelease = 'none', hasAgent = false } = found ?? {}
      const transfer = gets(server)
      const text = transfer ? getsText(transfer, (id) => isStaged(found, id)) : ''
      return [server.label, currentRelease, hasAgent ? 'there' : 'would be uploaded', text]
    })
    const from = settings.seeder === 'local' ? 'the deploy host' : settings.seeder
    const into = `unpacked to ${bytes(extent.bytes)} in ${releasesPath(deployToOf(shipit))}`
    const each = fleet.servers.flatMap((server) => gets(server) ?? [])
    const what = `${travelsText(each, from)}; it would be ${context.staging ? 'staged, ' : ''}${into}`
    show(context, `${what}\n${table([['server', 'current release', 'agent', 'gets'], ...rows])}`)
  } finally {
    making.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Says what deploy:publish would do. */
export function tryPublish(
  context: Pick<Context, 'display' | 'fleet' | 'resumed' | 'settings' | 'shipit'>,
): void {
  const { settings, shipit } = context
  const { rollout, activate } = settings
  const release = shipit.releaseDirname ?? 'the new release'
  const groups = planOf(context)
  const names = groups.map((group) => {
    const labels = group.servers.map(({ label }) => label).join(', ')
    return groups.length < 2 ? `  ${labels}` : `  ${nameGroup(group)}: ${labels}`
  })
  const steps: [string, Commands | undefined][] = [
    ['before each group, here', rollout.local.beforeGroup],
    ['before', rollout.before],
    ['activate', activate],
    ['health check', rollout.healthCheck],
    ['after', rollout.after],
    ['undo, where it goes back', rollout.undo],
    ['after each group, here', rollout.local.afterGroup],
    ['check, here', rollout.local.check],
  ]
  const rows = steps.flatMap(([name, commands]) =>
    commands === undefined ? [] : [[`  ${name}`, commandsKind.show(commands)]],
  )
  const { url, command, on } = settings.notify
  const told = [url === undefined ? [] : webhook.show(url), command ?? []].flat()
  if (told.length > 0) rows.push(['  told', `${told.join(', ')}: ${on.join(', ')}`])
  if (rollout.confirm > 0) {
    const within = seconds.show(rollout.confirm)
    rows.push(['  confirmed', `over a new connection within ${within}, or a guard goes back`])
  }
  if (rollout.watch > 0) rows.push(['  watched for', seconds.show(rollout.watch)])
  if (groups.length > 1 && rollout.pause !== 0) rows.push(['  pause', pauseKind.show(rollout.pause)])
  const how = rows.length > 0 ? [table(rows)] : []
  show(context, [`current would point to ${release}, on`, ...names, ...how].join('\n'))
}

/** Says which releases deploy:clean would remove, as if the new one was there. */
export async function tryClean(context: TaskContext): Promise<void> {
  const { shipit } = context
  const keep = Math.max(1, keptReleases(shipit.config) - (shipit.releaseDirname === undefined ? 1 : 0))
  const supersedes = shipit.seq?.includes('deploy:update') === true
  const outcomes = await askAll(context, 'clean', 'nothing was removed')
  const lines = outcomes.flatMap((outcome) => {
    const found = parseServerReleases(outcome.ok ? outcome.stdout : '')
    const old = releasesToClean(found, keep, { withLeftovers: true })
    const names = [...new Set([...old, ...(supersedes ? stagedReleases(found) : [])])]
    return names.length > 0 ? [`  ${outcome.server.label}: ${names.join(', ')}`] : []
  })
  const text = lines.length > 0 ? 'these releases would be removed' : 'no release would be removed'
  show(context, [text, ...lines].join('\n'))
}

/** Says which release rollback:init would choose. */
export async function tryRollback(context: TaskContext): Promise<void> {
  const { fleet, shipit } = context
  const releases = parseReleases(await askAll(context, 'check', 'a rollback would end here'))
  const { live, before } = wayBack(context, releases)
  const lacking = fleet.servers.filter((server) => !releases.get(server)?.releases.includes(before))
  const copied =
    lacking.length === 0 ? '' : `; it would be copied to ${lacking.map(({ label }) => label).join(', ')}`
  shipit.releaseDirname = before
  show(context, `from ${live} back to ${before}${copied}`)
}

/** The releases of all servers. Throws FLEET_FAILED. */
async function askAll(context: TaskContext, step: string, consequence: string): Promise<Outcome[]> {
  const options = { signal: context.signal, totalTimeoutS: SCRIPT_TIMEOUT_S }
  const ask = (server: Server) => ({ script: releasesScript(deployToOf(context.shipit, server)) })
  const outcomes = await context.fleet.run(step, ask, options)
  assertNoFailures(context, failuresOf(outcomes, step), consequence)
  return outcomes
}

/** The line of a task that would change something and has nothing to look up. */
export const leftOutLine = (name: string): string => `Dry run: ${name} is left out`
