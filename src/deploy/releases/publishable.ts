import { posix } from 'node:path'
import type { Outcome } from '../../fleet/fleet.ts'
import type { Failure } from '../../report/failures.ts'
import type { Shipit } from '../../shipit.ts'
import type { Context } from '../context/context.ts'
import { deployToOf, releasesPath } from '../context/server-paths.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { type FoundRelease, findReleaseScript, parseFoundRelease } from '../scripts/find-release-script.ts'
import { makePlaceScript } from '../scripts/lock-script.ts'
import { mostCommon } from '../scripts/releases-script.ts'
import { loadBrought } from './brought.ts'
import { faultOf, type Wanted, wantedRelease } from './wanted-release.ts'

/** Seconds that a server may take for a question. */
const PATIENCE = 60

/**
 * Locks the servers and checks that all have the release whole; sets what listeners of `published` read. Throws FLEET_FAILED or
 * LOCKED.
 */
export async function preparePublishing(context: Context, wanted: Wanted): Promise<void> {
  const { lock, settings, signal } = context
  const locked = await lock.ask({ before: makePlaceScript(settings.remotePath) }, signal)
  tolerate(context, failuresOf(locked, 'check'), 'nothing was published')
  await lookAt(context, wanted, 'nothing was published')
}

/** The same without the lock: it changes nothing anywhere. */
export async function lookAt(context: Context, wanted: Wanted, consequence: string): Promise<void> {
  const { fleet, settings, shipit, signal } = context
  const script = findReleaseScript(deployToOf(shipit), settings.remotePath, wanted.release)
  const options = { signal, totalTimeout: PATIENCE, repeatable: true }
  const outcomes = await fleet.run('check', () => ({ script }), options)
  signal.throwIfAborted()
  const { failures, found } = judge(wanted, outcomes, shipit.environment)
  tolerate(context, failures, consequence)
  name(shipit, wanted.release, found)
}

function judge(wanted: Wanted, outcomes: readonly Outcome[], environment: string) {
  const answers = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, found: parseFoundRelease(outcome.stdout) }] : [],
  )
  // What is not known here is what most servers have.
  const sha256 = wanted.sha256 ?? mostCommon(answers.flatMap(({ found }) => found.sha256 ?? []))
  const failures = answers.flatMap(({ server, found }): Failure[] => {
    const fault = faultOf(wanted, found, sha256, environment)
    return fault ? [{ server, step: 'check', ...fault }] : []
  })
  return {
    failures: [...failuresOf(outcomes, 'check'), ...failures],
    found: answers.map(({ found }) => found),
  }
}

function name(shipit: Shipit, release: string, found: readonly FoundRelease[]): void {
  const live = mostCommon(found.flatMap((each) => each.live ?? []))
  shipit.previousRelease ??= live ?? null
  shipit.previousRevision ??= found.find((each) => each.live === live)?.liveRevision ?? null
  shipit.currentRevision ??= mostCommon(found.flatMap(({ revision }) => revision ?? []))
  shipit.releaseDirname = release
  shipit.releasePath = posix.join(releasesPath(deployToOf(shipit)), release)
}

/** What a `deploy:publish` alone in its call is about. Throws NOTHING_TO_PUBLISH. */
export const wantedHere = ({ shipit, settings }: Context): Wanted =>
  wantedRelease(shipit.releaseDirname, settings.tag, loadBrought(shipit.environment), shipit.environment)
