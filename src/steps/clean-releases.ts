import { posix } from 'node:path'
import { interrupted } from '../errors.ts'
import { quotePath } from '../remote/shell.ts'
import type { ShipitConfig } from '../shipit.ts'
import type { Context } from './context.ts'
import { failuresOf } from './fleet-error.ts'
import { tolerate } from './tolerate.ts'

/** Seconds: old releases may be large. */
const PATIENCE = 600

/** Releases that are kept where `keepReleases` does not say, as in shipit-deploy. */
const KEEP = 5

/** Removes old releases, on every server but the one that is live there. Throws FLEET_FAILED. */
export async function cleanReleases(context: Context): Promise<void> {
  const { fleet, shipit, signal } = context
  const { deployTo = '' } = shipit.config
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

export function cleanReleasesScript(deployTo: string, keep: number): string {
  const remove = `rm -rf "./$x" 2>/dev/null || { chmod -R u+rwx "./$x" 2>/dev/null; rm -rf "./$x"; } || exit 1`
  return oldReleasesScript(deployTo, keep, remove)
}

/**
 * Does something, with the name in `$x`, for every release that is too old. What `current` resolves to is compared, not its text:
 * it may be absolute, or lead through other links. Where nothing is too old no program is started.
 */
export function oldReleasesScript(deployTo: string, keep: number, act: string): string {
  const releases = quotePath(posix.join(deployTo, 'releases'))
  const tooMany = `[ $# -gt ${Math.max(0, Math.floor(keep))} ]`
  return `cd ${releases} 2>/dev/null || exit 0
set -- *
if [ ! -e "$1" ] && [ ! -L "$1" ]; then exit 0; fi
${tooMany} || exit 0
live=$(cd ../current 2>/dev/null && pwd -P)
while ${tooMany}; do
  x=$1; shift
  if [ -n "$live" ] && [ "$(cd "./$x" 2>/dev/null && pwd -P)" = "$live" ]; then continue; fi
  ${act}
done`
}
