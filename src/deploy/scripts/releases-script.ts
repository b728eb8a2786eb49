import { posix } from 'node:path'
import { MurderError } from '../../errors.ts'
import type { Outcome } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { quotePath } from '../../text/shell-quote.ts'
import { releasesPath } from '../context/server-paths.ts'
import { SAY } from './values.ts'

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

/** The release that most servers have live: a new one, or one that missed a deploy, does not decide. */
export function liveRelease(fleet: FleetReleases): string | undefined {
  return mostCommon([...fleet.values()].flatMap(({ live }) => live ?? []))
}

export function mostCommon(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? 1 : -1))[0]?.[0]
}

/**
 * The release to go back to, older than the live one: the newest that most of the servers with the live one have, else the newest
 * that any server has. Throws NO_RELEASE.
 */
export function releaseBefore(fleet: FleetReleases): { live: string; before: string } {
  const live = liveRelease(fleet)
  if (live === undefined) {
    throw new MurderError('NO_RELEASE', 'Cannot find current release dirname: nothing is published', {
      cure: 'deploy first',
    })
  }
  const old = [...fleet.values()].filter(({ releases }) => releases.includes(live))
  const candidates = (among: ServerReleases[]) =>
    [...new Set(among.flatMap(({ releases }) => releases.filter((name) => name < live)))].sort().reverse()
  const common = candidates(old).find(
    (name) => old.filter(({ releases }) => releases.includes(name)).length * 2 > old.length,
  )
  const before = common ?? candidates([...fleet.values()])[0]
  if (before !== undefined) return { live, before }
  throw new MurderError('NO_RELEASE', `Cannot rollback, release not found: there is none before ${live}`, {
    cure: 'keepReleases says how many are kept',
  })
}
