import { posix } from 'node:path'
import type { Outcome } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { quotePath } from '../../text/shell-quote.ts'
import { releasesPath } from '../context/server-paths.ts'
import { SAY } from './shell-functions.ts'

/** The releases of one server. */
export interface ServerReleases {
  /** Directory name of the release that `current` points to. */
  live: string | undefined
  /** Directory names, newest first. */
  releases: string[]
}

export type FleetReleases = ReadonlyMap<Server, ServerReleases>

export function releasesScript(deployTo: string): string {
  return `c=${quotePath(posix.join(deployTo, 'current'))}; r=${quotePath(releasesPath(deployTo))}
${SAY}
if [ -L "$c" ]; then say live "$(basename "$(readlink "$c")")"; fi
for x in "$r"/*; do if [ -d "$x" ]; then say release "\${x##*/}"; fi; done`
}

/** Prints the revision that a release was made of, where that is known. */
export function revisionScript(deployTo: string, release: string): string {
  const file = quotePath(posix.join(releasesPath(deployTo), release, 'REVISION'))
  return `if [ -f ${file} ]; then cat ${file}; fi`
}

export function parseReleases(outcomes: readonly Outcome[]): FleetReleases {
  return new Map(
    outcomes.flatMap((outcome) => {
      if (!outcome.ok) return []
      const after = (key: string) =>
        outcome.stdout
          .split('\n')
          .flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
      const releases = after('release').sort().reverse()
      return [[outcome.server, { live: after('live')[0], releases }] as const]
    }),
  )
}

/** Removes the releases that are too old and not live. */
export function cleanReleasesScript(deployTo: string, keep: number): string {
  const remove = `rm -rf "./$x" 2>/dev/null || { chmod -R u+rwx "./$x" 2>/dev/null; rm -rf "./$x"; } || exit 1`
  return oldReleasesScript(deployTo, keep, remove)
}

/** Prints the releases that `cleanReleasesScript` would remove. */
export const listOldReleasesScript = (deployTo: string, keep: number) =>
  oldReleasesScript(deployTo, keep, `printf '%s\\n' "$x"`)

/**
 * Runs `act`, with the name in `$x`, for every release that is too old and not live. What `current` resolves to is compared, not its
 * text: it may be absolute, or lead through other links. Where no release is too old no program is started.
 */
function oldReleasesScript(deployTo: string, keep: number, act: string): string {
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
