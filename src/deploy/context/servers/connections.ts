import type { Settings } from '../../../config/schema.ts'
import { findServers, isServer, partsOf } from '../../../config/servers.ts'
import { MurderError } from '../../../errors.ts'
import type { SshConnection } from '../../../fleet/ssh/server.ts'
import type { Shipit } from '../../../shipit.ts'
import { connectionsNotChosen } from './choose-servers.ts'
import { connectionsOf } from './ssh-pool.ts'

/** Connections of a run: to its servers, and to other servers that tracker and seeder are on. */
export interface Connections {
  connections: readonly SshConnection[]
  besides: readonly SshConnection[]
}

/** `peers`: the run uses these servers instead of those in the shipitfile. */
export function findConnections(shipit: Shipit, settings: Settings, peers?: string[]): Connections {
  const pool = connectionsOf(shipit)
  const known = [...pool, ...connectionsNotChosen(shipit)]
  const named = peers ?? pool.map(({ remote }) => remote)
  return {
    connections: peers ? connectionsTo(peers, known) : pool,
    besides: connectionsTo(outsiders(settings, named, known), known),
  }
}

/**
 * New connections to the servers that settings name; those of Shipit's pool stay as they are. A server that is not in `servers` is
 * reached like the first one there, with the same key and SSH options.
 */
function connectionsTo(names: readonly string[], pool: readonly SshConnection[]): SshConnection[] {
  const [first] = pool
  if (!first) return []
  const remotes = pool.map(({ remote }) => remote)
  return names.map((name) => {
    const [index] = findServers(name, remotes)
    const known = index === undefined ? undefined : pool[index]
    const remote = known ? known.remote : { ...first.remote, ...addressOf(name) }
    return Object.assign(Object.create(Object.getPrototypeOf(first)), known ?? first, { remote })
  })
}

function addressOf(name: string): { user: string; host: string; port: number } {
  const parts = partsOf(name)
  if (!parts) throw new MurderError('BAD_SERVER', `${JSON.stringify(name)} is no server`)
  return { user: parts.user, host: parts.host, port: Number(parts.port ?? 22) }
}

/** Servers named for tracker or seeder that are not among `servers`, as they are written. */
function outsiders(
  { seeder, tracker }: Settings,
  servers: unknown,
  known: readonly SshConnection[],
): string[] {
  const remotes = known.map(({ remote }) => remote)
  const isName = (name: string) => isServer(name) || findServers(name, remotes).length > 0
  const named = [seeder, tracker.at].filter((name) => isName(name) && findServers(name, servers).length === 0)
  return [...new Set(named)]
}
