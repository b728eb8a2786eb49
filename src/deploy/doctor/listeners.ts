import type { AddressInfo } from 'node:net'
import { PersistentShell } from '../../fleet/persistent-shell.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { listen } from '../../torrent/peers/listen.ts'
import type { Context } from '../context/context.ts'
import type { Placement, Site } from '../hosts/placement.ts'
import { parseValues } from '../scripts/facts-script.ts'
import { listenScript } from '../scripts/probe-script.ts'
import type { Problem } from './problem.ts'

/** How long a probe may take. */
export const PROBE_TIMEOUT_S = 20

type PortRange = [first: number, last: number]

/** A port on which something listens while servers try to connect to it. */
export interface Listener {
  port: number
  close(): Promise<void>
}

export type ServerListeners = ReadonlyMap<Server, Listener>

/** A listener on each server's first free peer port. */
export async function listenOnServers(
  context: Context,
  servers: readonly Server[],
): Promise<{ listeners: ServerListeners; problems: Problem[] }> {
  const { ports } = context.settings
  const listeners = new Map<Server, Listener>()
  const problems: Problem[] = []
  const listenOn = async (server: Server) => {
    const listener = await listenAt(context, server, ports)
    if (listener) listeners.set(server, listener)
    else {
      problems.push({
        server: server.label,
        check: 'peer port',
        cause: `no port from ${ports.join(' to ')} is free`,
        cure: 'set murder.ports to a range with free ports',
      })
    }
  }
  await Promise.all(servers.map(listenOn))
  return { listeners, problems }
}

/**
 * Listeners where tracker and seeder will be. A seeder on a server listens there already, like the peers. `isBusy`: a deploy
 * runs meanwhile, and its tracker has the port.
 */
export async function listenOnSites(
  context: Context,
  { tracker, seeder, hasOwnTracker }: Placement,
  peers: ServerListeners,
  isBusy: boolean,
): Promise<{
  listeners: { tracker?: Listener | undefined; seeder: Listener | undefined }
  problems: Problem[]
}> {
  const { settings } = context
  const { port } = settings.tracker
  const atTracker = hasOwnTracker ? await listenAt(context, tracker.server, [port, port]) : undefined
  const known = seeder.server && peers.get(seeder.server)
  const atSeeder = known ?? (await listenAt(context, seeder.server, settings.ports))
  const problems = hasOwnTracker && !atTracker ? [trackerPortTaken(tracker, port, isBusy)] : []
  return { listeners: { tracker: atTracker, seeder: atSeeder }, problems }
}

function trackerPortTaken({ label: server }: Site, port: number, isBusy: boolean): Problem {
  const check = 'tracker port'
  if (isBusy) {
    const cause = `port ${port} is taken while a deploy runs: it was not tried`
    return { server, check, cause, cure: 'run murder:doctor again when the deploy is done' }
  }
  const cause = `port ${port} is taken by another program`
  return { server, check, cause, cure: 'stop it, or set murder.tracker.port to another port' }
}

/** Undefined where no port of the range is free, or none can be listened on. */
function listenAt(
  context: Context,
  server: Server | undefined,
  range: PortRange,
): Promise<Listener | undefined> {
  return server ? listenOnServer(context, server, range) : listenHere(range)
}

async function listenOnServer(
  { fleet, settings, signal }: Context,
  server: Server,
  range: PortRange,
): Promise<Listener | undefined> {
  const script = listenScript(settings.node, range)
  const order = { step: 'network', script, answerTimeout: PROBE_TIMEOUT_S, signal }
  const shell = new PersistentShell(fleet, server, order)
  const outcome = await shell.said
  const port = outcome.ok ? Number(parseValues(outcome.stdout).get('port')) : 0
  if (Number.isInteger(port) && port > 0 && port < 65_536) return { port, close: () => shell.close() }
  await shell.close()
  return undefined
}

async function listenHere(range: PortRange): Promise<Listener | undefined> {
  try {
    const server = await listen(range, (socket) => socket.destroy())
    const { port } = server.address() as AddressInfo
    return { port, close: async () => void server.close() }
  } catch {
    return undefined // The caller says that the port is taken.
  }
}
