import { posix } from 'node:path'
import { MurderError } from '../../../errors.ts'
import type { Context } from '../../context/context.ts'
import { shipitCommand } from '../../context/shipit-command.ts'
import { deployToOf } from '../../paths/places.ts'
import { releasesPath } from '../../paths/server-paths.ts'
import type { FleetFacts } from '../../preflight/preflight.ts'
import { timeTag } from '../../transfer/time-tag.ts'
import { mostCommon } from './choose-release.ts'

/** Names the new release, and the one that was live before on most servers. */
export function nameRelease({ shipit, again }: Pick<Context, 'again' | 'shipit'>, facts: FleetFacts): string {
  const releases = releasesPath(deployToOf(shipit))
  const live = [...facts.values()].flatMap((found) => found.currentRelease ?? [])
  const before = mostCommon(live)
  const newest = [...facts.values()].map((found) => found.newestRelease)
  const tag = again?.release ?? timeTag(newest)
  shipit.previousRelease = before ?? null
  shipit.previousRevision =
    [...facts.values()].find((found) => found.currentRelease === before)?.revision ?? null
  shipit.releaseDirname = tag
  shipit.releasePath = posix.join(releases, tag)
  return tag
}

/** A retry must deploy the same revision. Throws RETRY_CHANGED. */
export function assertSameRevision(
  { again, shipit }: Pick<Context, 'again' | 'shipit'>,
  revision: string | undefined,
): void {
  if (!again || again.revision === null || again.revision === revision) return
  throw new MurderError(
    'RETRY_CHANGED',
    `${again.release} was made of ${again.revision}, now it would be ${revision}`,
    {
      cure: `deploy to all servers instead: ${shipitCommand(shipit.environment, 'deploy')}`,
    },
  )
}
