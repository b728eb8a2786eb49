import { rm } from 'node:fs/promises'
import { posix } from 'node:path'
import { makeTemporaryDirectory } from '../system/temporary-directory.ts'
import { bytes } from '../text/format.ts'
import { table } from '../text/table.ts'
import type { Context } from './context/context.ts'
import { lockedError, namedLocks } from './context/fleet-lock.ts'
import { deployToOf } from './context/server-paths.ts'
import { assertNoFailures, failuresOf } from './outcome/fleet-error.ts'
import { say } from './outcome/say.ts'
import { tolerate } from './outcome/tolerate.ts'
import { canPrefill } from './peers/make-order.ts'
import { askReadOnly } from './preflight/ask.ts'
import { inspect } from './preflight/preflight.ts'
import { checkSpace } from './preflight/space.ts'
import { hasZstd } from './preflight/verdict.ts'
import { groupsOf } from './releases/batch.ts'
import { releaseBefore } from './releases/choose-release.ts'
import { keptReleases } from './releases/clean-releases.ts'
import { listOldReleasesScript, parseReleases, releasesScript } from './scripts/releases-script.ts'
import { SCRIPT_TIMEOUT_S } from './timeouts.ts'
import { makeTransfer } from './transfer/make-transfer.ts'
import { releaseBytes } from './transfer/transfer.ts'

const show = (context: Context, text: string) => say(context, `Dry run: ${text}`)

/** What deploy:update would do: asks the servers, packages, and says what would go where. Throws what would stop it. */
export async function tryDeploy(context: Context): Promise<void> {
  const { fleet, settings, shipit } = context
  const outcomes = await askReadOnly(context)
  const locks = namedLocks(outcomes)
  if (locks.length > 0) throw lockedError(locks, shipit.environment)
  const { facts, failures } = await inspect(context, Promise.resolve(outcomes))
  tolerate(context, failures, 'a deploy would end here')
  const directory = makeTemporaryDirectory('shipit-murder-')
  try {
    const transfer = await makeTransfer(context, {
      ...{ tag: 'dry-run', directory, prefill: canPrefill(context, facts) },
      ...{ zstdEverywhere: [...facts.values()].every(hasZstd), peers: fleet.servers.length },
    })
    const size = releaseBytes(transfer.entries)
    tolerate(context, checkSpace(fleet.servers, facts, transfer), 'a deploy would end here')
    const rows = fleet.servers.map((server) => {
      const found = facts.get(server)
      const { currentRelease = 'none', hasAgent = false } = found ?? {}
      return [server.label, currentRelease, hasAgent ? 'there' : 'would be uploaded']
    })
    show(
      context,
      [
        `${bytes(transfer.length)} (${transfer.compression}) would go from ${settings.seeder === 'local' ? 'the deploy host' : settings.seeder} to ${rows.length} servers, and be unpacked to ${bytes(size)} in ${posix.join(deployToOf(shipit), 'releases')}`,
        table([['server', 'current release', 'agent'], ...rows]),
      ].join('\n'),
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** What deploy:publish would do. */
export function tryPublish(context: Context): void {
  const { fleet, settings, shipit } = context
  const groups = groupsOf(fleet.servers, settings.batch)
  const release = shipit.releaseDirname ?? 'the new release'
  const names = groups.map((group) => group.map(({ label }) => label).join(', '))
  const health = settings.healthCheck === undefined ? '' : `, then ${settings.healthCheck}`
  show(
    context,
    [`current would point to ${release}${health}, on`, ...names.map((name) => `  ${name}`)].join('\n'),
  )
}

/** What deploy:clean would remove, were the release that is not there counted. */
export async function tryClean(context: Context): Promise<void> {
  const { fleet, shipit, signal } = context
  const keep = Math.max(1, keptReleases(shipit.config) - (shipit.releaseDirname === undefined ? 1 : 0))
  const script = listOldReleasesScript(deployToOf(shipit), keep)
  const outcomes = await fleet.run('clean', () => ({ script }), { signal, totalTimeout: SCRIPT_TIMEOUT_S })
  const failures = failuresOf(outcomes, 'clean')
  assertNoFailures(context, failures, 'nothing was removed')
  const lines = outcomes.flatMap((outcome) => {
    const names = outcome.ok ? outcome.stdout.split('\n').filter(Boolean) : []
    return names.length > 0 ? [`  ${outcome.server.label}: ${names.join(', ')}`] : []
  })
  show(
    context,
    lines.length > 0
      ? ['these releases would be removed', ...lines].join('\n')
      : 'no release would be removed',
  )
}

/** What rollback:init would choose. */
export async function tryRollback(context: Context): Promise<void> {
  const { fleet, shipit, signal } = context
  const script = releasesScript(deployToOf(shipit))
  const outcomes = await fleet.run('check', () => ({ script }), { signal, totalTimeout: SCRIPT_TIMEOUT_S })
  const failures = failuresOf(outcomes, 'check')
  assertNoFailures(context, failures, 'a rollback would end here')
  const releases = parseReleases(outcomes)
  const { live, before } = releaseBefore(releases)
  const lacking = fleet.servers.filter((server) => !releases.get(server)?.releases.includes(before))
  const copied =
    lacking.length === 0 ? '' : `; it would be copied to ${lacking.map(({ label }) => label).join(', ')}`
  shipit.releaseDirname = before
  show(context, `from ${live} back to ${before}${copied}`)
}

/** The line of a task that would change something and has nothing to look up. */
export const leftOutLine = (name: string): string => `Dry run: ${name} is left out`
