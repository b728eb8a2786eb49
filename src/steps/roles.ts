import { findServers, isServer, type Settings } from '../config/index.ts'
import { ExitCode, MurderError } from '../errors.ts'
import type { Server } from '../remote/server.ts'
import type { Context } from './context.ts'

/** The servers that tracker and seeder are to be on and that are not among `servers`, as they are written. */
export function outsiders({ seeder, tracker }: Settings, servers: unknown): string[] {
  const named = [seeder, tracker.at].filter(
    (name) => isServer(name) && findServers(name, servers).length === 0,
  )
  return [...new Set(named)]
}

/** The server that seeds, undefined for the deploy host. Throws NO_SERVER. */
export const seederServer = (context: Context): Server | undefined =>
  serverOf(context, context.settings.seeder)

/** The server that runs the tracker, where one is started at all; undefined for the deploy host. Throws NO_SERVER. */
export function trackerServer(context: Context): Server | undefined {
  const { at } = context.settings.tracker
  return at === 'seeder' ? seederServer(context) : isServer(at) ? serverOf(context, at) : undefined
}

function serverOf({ settings, named, fleet }: Context, name: string): Server | undefined {
  if (name === 'local') return undefined
  const [index] = findServers(name, named)
  const server =
    index === undefined ? fleet.besides[outsiders(settings, named).indexOf(name)] : fleet.at(index)
  if (server) return server
  throw new MurderError('NO_SERVER', `${name} is no server`, { exitCode: ExitCode.usage })
}
