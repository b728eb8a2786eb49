import { interrupted } from '../../errors.ts'
import type { ShipitConfig } from '../../shipit.ts'
import type { Context } from '../context/context.ts'
import { deployToOf } from '../context/server-paths.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { tolerate } from '../outcome/tolerate.ts'
import { cleanReleasesScript } from '../scripts/old-releases-script.ts'

/** Seconds: old releases may be large. */
const PATIENCE = 600

/** Releases that are kept where `keepReleases` does not say, as in shipit-deploy. */
const KEEP = 5

/** Removes old releases, on every server but the one that is live there. Throws FLEET_FAILED. */
export async function cleanReleases(context: Context): Promise<void> {
  const { fleet, shipit, signal } = context
  const deployTo = deployToOf(shipit)
  const keepReleases = keptReleases(shipit.config)
  shipit.log(`Keeping "${keepReleases}" last releases, cleaning others`)
  const script = cleanReleasesScript(deployTo, keepReleases)
  const outcomes = await fleet.run('clean', () => ({ script }), {
    signal,
    totalTimeout: PATIENCE,
    repeatable: true,
  })
  // Also when Ctrl-C came while publishing, too late to stop it.
  if (signal.aborted) throw interrupted('the release is published, old ones may still be there')
  tolerate(context, failuresOf(outcomes, 'clean'), 'the release is published, old ones are still there')
}

export const keptReleases = ({ keepReleases }: ShipitConfig): number => Number(keepReleases ?? KEEP) || KEEP
