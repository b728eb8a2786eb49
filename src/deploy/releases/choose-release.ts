import { MurderError } from '../../errors.ts'
import type { FleetReleases, ServerReleases } from '../scripts/releases-script.ts'

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
