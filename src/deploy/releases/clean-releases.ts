import { interrupted } from '../../errors.ts'
import type { ShipitConfig } from '../../shipit.ts'
import type { Context } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { deployToOf } from '../paths/places.ts'
import { parseReleases, releasesScript } from '../scripts/releases/releases-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { releasesToClean } from './history.ts'
import { lockOnly } from './lock-only.ts'
import { removeReleases } from './remove-releases.ts'

/** How many releases are kept when `keepReleases` is not set, as in shipit-deploy. */
const KEPT_RELEASES = 5

/**
 * Removes old releases on every server, and those that no deploy has published, but never the live one. A release that cannot be
 * removed is reported and is not a failure. Throws FLEET_FAILED or LOCKED.
 */
export async function cleanReleases(context: Context): Promise<void> {
  const { fleet, lock, shipit, signal } = context
  if (!lock.isHeld) {
    const locked = await lock.ask(lockOnly(context), signal)
    tolerate(context, failuresOf(locked, 'check'), 'nothing was removed')
  }
  const keepReleases = keptReleases(shipit.config)
  shipit.log(`Keeping "${keepReleases}" last releases, cleaning others`)
  const options = { signal, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
  const asked = await fleet.run(
    'clean',
    (server) => ({ script: releasesScript(deployToOf(shipit, server)) }),
    options,
  )
  const own = shipit.releaseDirname
  const removals = new Map(
    [...parseReleases(asked)].map(([server, found]) => [
      server,
      releasesToClean(found, keepReleases, { withLeftovers: true, own }),
    ]),
  )
  const outcomes = [...asked.filter(({ ok }) => !ok), ...(await removeReleases(context, removals))]
  // Ctrl-C may also have come while publishing, too late to stop it.
  if (signal.aborted) throw interrupted('the release is published, old ones may still be there')
  tolerate(context, failuresOf(outcomes, 'clean'), 'the release is published, old ones are still there')
}

export const keptReleases = ({ keepReleases }: ShipitConfig): number =>
  Number(keepReleases ?? KEPT_RELEASES) || KEPT_RELEASES
