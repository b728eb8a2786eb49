import { seederIndex } from '../config/index.ts'
import { MurderError } from '../errors.ts'
import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { startLocally } from './local-seeder.ts'
import type { Transfer } from './make-package.ts'
import { startOnServer } from './remote-seeder.ts'
import type { Swarm } from './swarm.ts'

/** Starts tracker and seeder, on the deploy host or on the server that the settings name. */
export async function startSwarm(context: Context, transfer: Transfer, facts: FleetFacts): Promise<Swarm> {
  const index = seederIndex(context.settings.seeder, context.shipit.config.servers)
  if (index === undefined) return startLocally(context, transfer, facts)
  const server = context.fleet.servers[index]
  if (!server) throw new MurderError('NO_SEEDER', `murder.seeder names no server: ${context.settings.seeder}`)
  return startOnServer(context, transfer, server, facts)
}
