import { posix } from 'node:path'
import type { Context, TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { deployToOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'
import { loadRollout } from '../rollout/state.ts'
import { type FleetReleases, parseReleases, releasesScript } from '../scripts/releases/releases-script.ts'
import { liveRelease, releaseBefore, releaseBeforeBegun } from './choose/choose-release.ts'
import { copyRelease } from './copy-release.ts'
import { lockOnly } from './lock-only.ts'

/**
 * Chooses the release to go back to, and sets what shipit-deploy's tasks and other plugins read: releaseDirname, releasePath,
 * prevReleaseDirname, prevReleasePath. A server that lacks it gets it from one that has it. Throws FLEET_FAILED, NO_RELEASE
 * or LOCKED.
 */
export async function prepareRollback(context: Context): Promise<void> {
  const { again, fleet, lock, shipit, signal } = context
  const deployTo = deployToOf(shipit)
  const scripts = lockOnly(context, (server) => releasesScript(deployToOf(shipit, server)))
  const outcomes = await lock.ask(scripts, signal)
  tolerate(context, failuresOf(outcomes, 'check'), 'nothing was changed')
  const releases = parseReleases(outcomes)
  const { live, before } = again
    ? { live: liveRelease(releases) ?? 'none', before: again.release }
    : wayBack(context, releases)
  shipit.log(`Current release dirname : ${live}.`)
  shipit.log(`Will rollback to ${before}.`)
  const lacking = fleet.servers.filter((server) => !releases.get(server)?.releases.includes(before))
  const source = fleet.servers.find((server) => releases.get(server)?.releases.includes(before))
  if (source && lacking.length > 0) {
    const failures = await copyRelease(context, before, source, lacking)
    signal.throwIfAborted()
    tolerate(context, failures, 'nothing was published')
  }
  shipit.releaseDirname = before
  shipit.releasePath = posix.join(releasesPath(deployTo), before)
  shipit.prevReleaseDirname = live
  shipit.prevReleasePath = posix.join(releasesPath(deployTo), live)
}

/** The live release and the one to go back to. Where a rollout to a release has groups that are left, it is taken back. */
export function wayBack(
  { settings, shipit }: Pick<TaskContext, 'settings' | 'shipit'>,
  releases: FleetReleases,
): { live: string; before: string } {
  const state = loadRollout(shipit.environment)
  const isBegun = state !== undefined && !state.isRollback && state.done < state.groups.length
  const before = Object.values(state?.links ?? {}).flatMap((link) => (link ? [posix.basename(link)] : []))
  const begun = isBegun ? releaseBeforeBegun(releases, { release: state.release, before }) : undefined
  return begun ?? releaseBefore(releases, { any: settings.rollbackAny })
}
