import { MurderError } from '../../src/errors.ts'
import type { Server } from '../../src/shipit.ts'
import { type FleetState, readFleetState } from './state.ts'

/** Where a shipitfile deploys to. */
export interface Target {
  servers: Server[]
  /** Path of an SSH private key; without one, ssh's own. */
  key?: string
  /** Parent of `deployTo`. */
  directory: string
}

/** Where the state of `npm run fleet` is, from the root of this repository. */
export const FLEET_FILE_PATH = '.shipit-murder/fleet.json'

/**
 * The servers in `MURDER_SERVERS` (`user@host:port`, separated by commas), with releases below `DEPLOY_TO`; else the
 * running fleet of the file `FLEET_FILE`. Throws NO_FLEET when there is neither.
 */
export function target(env: NodeJS.ProcessEnv, read = readFleetState): Target {
  const named = (env.MURDER_SERVERS ?? '').split(',').map((server) => server.trim())
  const servers = named.filter((server) => server !== '')
  if (servers.length > 0) return { servers, directory: env.DEPLOY_TO || '/tmp/shipit-murder' }
  const fleet = read(env.FLEET_FILE || FLEET_FILE_PATH)
  if (fleet) return ofFleet(fleet)
  throw new MurderError('NO_FLEET', 'No example fleet is running', {
    cure: 'start one with `npm run fleet` in another terminal, or name servers in MURDER_SERVERS (user@host:port,…)',
  })
}

function ofFleet({ servers, key, home }: FleetState): Target {
  return { servers, key, directory: home }
}
