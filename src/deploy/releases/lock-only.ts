import type { Server } from '../../fleet/ssh/server.ts'
import type { Scripts } from '../context/lock/fleet-lock.ts'
import { placesOf, type Shared } from '../paths/places.ts'
import { checkGuardScript } from '../scripts/guard/check-guard-script.ts'
import { makePlaceScript } from '../scripts/lock-script.ts'

/** Takes the lock without asking anything first. `after` runs once it is taken. */
export const lockOnly = (context: Shared, after?: Scripts['after']): Scripts => ({
  before: (server: Server) =>
    `${checkGuardScript(context)}\n${makePlaceScript(placesOf(context, server).remotePath)}`,
  ...(after ? { after } : {}),
})
