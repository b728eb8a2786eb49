import { posix } from 'node:path'
import { ExitCode } from '../../errors.ts'
import type { Outcome } from '../../fleet/command.ts'
import type { Failure } from '../../report/failures.ts'
import type { Shipit } from '../../shipit.ts'
import type { Context, TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { deployToOf, placesOf } from '../paths/places.ts'
import { releasesPath } from '../paths/server-paths.ts'
import {
  type FoundRelease,
  findReleaseScript,
  parseFoundRelease,
} from '../scripts/releases/find-release-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { mostCommon } from './choose/choose-release.ts'
import { loadLastBrought } from './choose/last-brought.ts'
import { type ReleaseToPublish, releaseToPublish, whyUnpublishable } from './choose/release-to-publish.ts'
import { compareRelease } from './compare-release.ts'
import { lockOnly } from './lock-only.ts'

/** Locks the servers and finds the release of a `deploy:publish` by itself. Throws FLEET_FAILED, LOCKED or NOTHING_TO_PUBLISH. */
export async function preparePublishing(context: Context, wanted: ReleaseToPublish): Promise<void> {
  const { lock, signal } = context
  const locked = await lock.ask(lockOnly(context), signal)
  tolerate(context, failuresOf(locked, 'check'), 'nothing was published')
  await findRelease(context, wanted, 'nothing was published')
}

/** Checks that all servers have the release whole. Sets what listeners of `published` read. Changes nothing on a server. */
export async function findRelease(
  context: Context,
  wanted: ReleaseToPublish,
  consequence: string,
): Promise<void> {
  const { fleet, shipit, signal } = context
  const options = { signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
  const outcomes = await fleet.run(
    'check',
    (server) => {
      const { deployTo, remotePath } = placesOf(context, server)
      return { script: findReleaseScript(deployTo, remotePath, wanted.release) }
    },
    options,
  )
  signal.throwIfAborted()
  tolerate(context, failuresOf(outcomes, 'check'), consequence)
  const { failures, found } = judge(wanted, outcomes, shipit.environment)
  tolerate(context, failures, consequence, { exitCode: ExitCode.usage })
  if (wanted.by === 'murder:peer') {
    const compared = await compareRelease(context, wanted.release)
    tolerate(context, compared.failures, consequence)
    tolerate(context, compared.changed, consequence, { exitCode: ExitCode.usage })
  }
  nameRelease(shipit, wanted.release, found)
}

function judge(wanted: ReleaseToPublish, outcomes: readonly Outcome[], environment: string) {
  const answers = outcomes.flatMap((outcome) =>
    outcome.ok ? [{ server: outcome.server.label, found: parseFoundRelease(outcome.stdout) }] : [],
  )
  // If the package is unknown here, the majority of servers decides.
  const sha256 = wanted.sha256 ?? mostCommon(answers.flatMap(({ found }) => found.sha256 ?? []))
  const failures = answers.flatMap(({ server, found }): Failure[] => {
    const why = whyUnpublishable(wanted, found, sha256, environment)
    return why ? [{ server, step: 'check', ...why }] : []
  })
  return { failures, found: answers.map(({ found }) => found) }
}

function nameRelease(shipit: Shipit, release: string, found: readonly FoundRelease[]): void {
  const live = mostCommon(found.flatMap((each) => each.live ?? []))
  shipit.previousRelease ??= live ?? null
  shipit.previousRevision ??= found.find((each) => each.live === live)?.liveRevision ?? null
  shipit.currentRevision ??= mostCommon(found.flatMap(({ revision }) => revision ?? []))
  shipit.releaseDirname = release
  shipit.releasePath = posix.join(releasesPath(deployToOf(shipit)), release)
}

/** The release of a `deploy:publish` that is the only task of its call. Throws NOTHING_TO_PUBLISH. */
export const releaseOf = ({
  shipit,
  settings: { tag },
}: Pick<TaskContext, 'settings' | 'shipit'>): ReleaseToPublish =>
  releaseToPublish(shipit.releaseDirname, tag, loadLastBrought(shipit.environment), shipit.environment)
