import { MurderError } from '../../../errors.ts'
import type { FleetReleases } from '../../scripts/releases/releases-script.ts'
import { classify, publishedSince, rollbackTargets, type ServerReleases } from '../history.ts'

/** The release that is live on most servers, so that a new server, or one that missed a deploy, does not decide. */
export function liveRelease(fleet: FleetReleases): string | undefined {
  return mostCommon([...fleet.values()].flatMap(({ live }) => live ?? []))
}

export function mostCommon(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? 1 : -1))[0]?.[0]
}

/**
 * The release to go back to, among those that were live before. It is the last one that most servers with the live release have;
 * if there is none, the last one that any server has, unless another server has rolled back from it. `any`: also releases that
 * never were live, or were rolled back from. Throws NO_RELEASE.
 */
export function releaseBefore(fleet: FleetReleases, { any = false } = {}): { live: string; before: string } {
  const live = liveRelease(fleet)
  if (live === undefined) {
    throw new MurderError('NO_RELEASE', 'Cannot find current release dirname: nothing is published', {
      cure: 'deploy first',
    })
  }
  const all = [...fleet.values()].map((server) => ({
    has: server.releases,
    targets: rollbackTargets(server, { any }).filter((name) => name !== live),
  }))
  const old = all.filter(({ has }) => has.includes(live))
  const isCommon = (name: string) =>
    old.filter(({ targets }) => targets.includes(name)).length * 2 > old.length
  const leftBehind = new Set(any ? [] : [...fleet.values()].flatMap(rolledBackFrom))
  const lastOf = (servers: typeof all, isFit: (name: string) => boolean) =>
    mostCommon(servers.flatMap(({ targets }) => targets.find(isFit) ?? []))
  const before = lastOf(old, isCommon) ?? lastOf(all, (name) => !leftBehind.has(name))
  if (before !== undefined) return { live, before }
  const what = any ? 'there is no other one' : `none was live before ${live}`
  throw new MurderError('NO_RELEASE', `Cannot rollback, release not found: ${what}`, {
    cure: any
      ? 'keepReleases says how many are kept'
      : 'keepReleases says how many are kept; MURDER_ROLLBACK_ANY=true also takes one that was never live, or was rolled back from',
  })
}

/** A rollout with groups that are left. */
interface Begun {
  release: string
  /** Releases that were live before, on the servers that it has reached. */
  before: readonly string[]
}

/**
 * The release that a rollout has replaced which did not reach all servers: what is live on most of them is not what a rollback leaves
 * then. Undefined where that release is not live any more, or another one has been published since.
 */
export function releaseBeforeBegun(
  fleet: FleetReleases,
  { release, before }: Begun,
): { live: string; before: string } | undefined {
  const servers = [...fleet.values()]
  const kept = before.filter((name) => servers.some(({ releases }) => releases.includes(name)))
  const last = mostCommon(kept)
  if (last === undefined || last === release || !servers.some(({ live }) => live === release))
    return undefined
  return publishedSince(servers, release).length > 0 ? undefined : { live: release, before: last }
}

const rolledBackFrom = (server: ServerReleases) =>
  classify(server).flatMap(({ name, state }) => (state === 'rolled-back-from' ? [name] : []))
