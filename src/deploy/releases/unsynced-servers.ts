import type { Fleet } from '../../fleet/fleet.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Shipit } from '../../shipit.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { deployToOf } from '../paths/places.ts'
import {
  type FleetReleases,
  parseReleases,
  releasesScript,
  revisionScript,
} from '../scripts/releases/releases-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { liveRelease } from './choose/choose-release.ts'

/**
 * Replaces the questions to the fleet that shipit-deploy's tasks and other plugins ask. Its own throw "Remote servers are not
 * synced." when one server differs, as a new one does; here most servers decide. They are properties of this very host, because
 * shipit-deploy writes its own into the prototype whenever one of its tasks starts.
 */
export function allowUnsyncedServers(shipit: Shipit, fleet: () => Fleet): void {
  shipit.getCurrentReleaseDirname = async () => liveRelease(await askReleases(shipit, fleet())) ?? null
  shipit.getReleases = async () => {
    const names = [...(await askReleases(shipit, fleet())).values()].flatMap(({ releases }) => releases)
    return names.length === 0 ? null : [...new Set(names)].sort().reverse()
  }
  shipit.getRevision = async (release) => {
    const ask = (server: Server) => ({ script: revisionScript(deployToOf(shipit, server), release) })
    const outcomes = await fleet().run('check', ask, { totalTimeoutS: SCRIPT_TIMEOUT_S })
    const found = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.stdout.trim()] : []))
    return found.find((revision) => revision !== '') ?? ''
  }
}

async function askReleases(shipit: Shipit, fleet: Fleet): Promise<FleetReleases> {
  const ask = (server: Server) => ({ script: releasesScript(deployToOf(shipit, server)) })
  const outcomes = await fleet.run('check', ask, { totalTimeoutS: SCRIPT_TIMEOUT_S })
  for (const { server, cause } of failuresOf(outcomes, 'check'))
    shipit.log(`${server} was not asked: ${cause}`)
  return parseReleases(outcomes)
}
