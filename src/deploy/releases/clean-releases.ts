import { interrupted } from '../../errors.ts'
import type { ShipitConfig } from '../../shipit.ts'
import type { Context } from '../context/context.ts'
import { deployToOf } from '../context/server-paths.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { cleanReleasesScript } from '../scripts/releases-script.ts'
import { REMOVAL_TIMEOUT_S } from '../timeouts.ts'

/** How many releases are kept when `keepReleases` is not set, as in shipit-deploy. */
const KEPT_RELEASES = 5

/** Removes old releases on every server, but never the live one. Throws FLEET_FAILED. */
export async function cleanReleases(context: Context): Promise<void> {
  const { fleet, lock, shipit, signal } = context
  const deployTo = deployToOf(shipit)
  const keepReleases = keptReleases(shipit.config)
  shipit.log(`Keeping "${keepReleases}" last releases, cleaning others`)
  const script = `${lock.fence}\nfence || exit 1\n${cleanReleasesScript(deployTo, keepReleases)}`
  const outcomes = await fleet.run('clean', () => ({ script }), {
    signal,
    totalTimeout: REMOVAL_TIMEOUT_S,
    repeatable: true,
  })
  // Ctrl-C may also have come while publishing, too late to stop it.
  if (signal.aborted) throw interrupted('the release is published, old ones may still be there')
  tolerate(context, failuresOf(outcomes, 'clean'), 'the release is published, old ones are still there')
}

export const keptReleases = ({ keepReleases }: ShipitConfig): number =>
  Number(keepReleases ?? KEPT_RELEASES) || KEPT_RELEASES
