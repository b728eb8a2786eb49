import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { startLocally } from './local-seeder.ts'
import { startOnServer } from './remote-seeder.ts'
import { seederServer } from './station.ts'
import type { Swarm } from './swarm.ts'
import type { Transfer } from './transfer.ts'

/** Starts tracker and seeder, on the deploy host or on the server that the settings name. */
export async function startSwarm(context: Context, transfer: Transfer, facts: FleetFacts): Promise<Swarm> {
  const server = seederServer(context)
  return server ? startOnServer(context, transfer, server, facts) : startLocally(context, transfer, facts)
}
