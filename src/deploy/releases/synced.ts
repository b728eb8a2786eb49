import type { Shipit } from '../../shipit.ts'
import { contextOf } from '../context/context.ts'
import { deployToOf } from '../context/server-paths.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import {
  type FleetReleases,
  liveRelease,
  parseReleases,
  releasesScript,
  revisionScript,
} from '../scripts/releases-script.ts'

/** Seconds that a server may take to answer. */
const PATIENCE = 60

/**
 * Replaces what shipit-deploy's tasks and other plugins ask the fleet with: its own throws "Remote servers are not synced."
 * when one server differs, as a new one does. Here most of them decide. As properties of this very host, because
 * shipit-deploy writes its own into the prototype whenever one of its tasks starts.
 */
export function allowUnsynced(shipit: Shipit): void {
  shipit.getCurrentReleaseDirname = async () => liveRelease(await askReleases(shipit)) ?? null
  shipit.getReleases = async () => {
    const names = [...(await askReleases(shipit)).values()].flatMap(({ releases }) => releases)
    return names.length === 0 ? null : [...new Set(names)].sort().reverse()
  }
  shipit.getRevision = async (release) => {
    const script = revisionScript(deployToOf(shipit), release)
    const outcomes = await contextOf(shipit).fleet.run('check', () => ({ script }), {
      totalTimeout: PATIENCE,
    })
    const found = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.stdout.trim()] : []))
    return found.find((revision) => revision !== '') ?? ''
  }
}

async function askReleases(shipit: Shipit): Promise<FleetReleases> {
  const { fleet } = contextOf(shipit)
  const script = releasesScript(deployToOf(shipit))
  const outcomes = await fleet.run('check', () => ({ script }), { totalTimeout: PATIENCE })
  for (const { server, cause } of failuresOf(outcomes, 'check'))
    shipit.log(`${server} was not asked: ${cause}`)
  return parseReleases(outcomes)
}
