import { posix } from 'node:path'
import type { Outcome } from '../../fleet/fleet.ts'
import type { Failure } from '../../report/failures.ts'
import type { Shipit } from '../../shipit.ts'
import { quotePath } from '../../text/shell-quote.ts'
import type { Context } from '../context/context.ts'
import { releasesPath } from '../context/server-paths.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { mostCommon } from '../scripts/releases-script.ts'
import { loadBrought } from './brought.ts'
import { type Found, faultOf, lookScript, parseLook, type Wanted, wantedRelease } from './wanted-release.ts'

/** Seconds that a server may take for a question. */
const PATIENCE = 60

/**
 * Locks the servers and checks that all have the release whole; sets what listeners of `published` read. Throws FLEET_FAILED or
 * LOCKED.
 */
export async function preparePublishing(context: Context, wanted: Wanted): Promise<void> {
  const { lock, settings, signal } = context
  const place = `mkdir -p ${quotePath(settings.remotePath)} || exit 1`
  const locked = await lock.ask({ before: place }, signal)
  tolerate(context, failuresOf(locked, 'check'), 'nothing was published')
  await lookAt(context, wanted, 'nothing was published')
}

/** The same without the lock: it changes nothing anywhere. */
export async function lookAt(context: Context, wanted: Wanted, consequence: string): Promise<void> {
  const { fleet, settings, shipit, signal } = context
  const { deployTo = '' } = shipit.config
  const script = lookScript(deployTo, settings.remotePath, wanted.release)
  const outcomes = await fleet.run('check', () => ({ script }), {
    ...{ signal, totalTimeout: PATIENCE, repeatable: true },
  })
  signal.throwIfAborted()
  const { failures, found } = judge(wanted, outcomes, shipit.environment)
  tolerate(context, failures, consequence)
  name(shipit, wanted.release, found)
}

function judge(wanted: Wanted, outcomes: readonly Outcome[], environment: string) {
  const answers = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, found: parseLook(outcome.stdout) }] : [],
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

function name(shipit: Shipit, release: string, found: readonly Found[]): void {
  const live = mostCommon(found.flatMap((each) => each.live ?? []))
  shipit.previousRelease ??= live ?? null
  shipit.previousRevision ??= found.find((each) => each.live === live)?.liveRevision ?? null
  shipit.currentRevision ??= mostCommon(found.flatMap(({ revision }) => revision ?? []))
  shipit.releaseDirname = release
  shipit.releasePath = posix.join(releasesPath(shipit.config.deployTo ?? ''), release)
}

/** What a `deploy:publish` alone in its call is about. Throws NOTHING_TO_PUBLISH. */
export const wantedHere = ({ shipit, settings }: Context): Wanted =>
  wantedRelease(shipit.releaseDirname, settings.tag, loadBrought(shipit.environment), shipit.environment)
