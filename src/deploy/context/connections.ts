import type { Settings } from '../../config/schema.ts'
import { findServers, isServer, partsOf } from '../../config/servers.ts'
import { MurderError } from '../../errors.ts'
import type { SshConnection } from '../../fleet/ssh/server.ts'

/**
 * Connections of their own to the servers that settings name: those of Shipit's pool stay as they are. One that is not in
 * `servers` is reached as the first of these is, with the same key and SSH options.
 */
export function connectionsTo(names: readonly string[], pool: readonly SshConnection[]): SshConnection[] {
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

/** The servers that tracker and seeder are to be on and that are not among `servers`, as they are written. */
export function outsiders({ seeder, tracker }: Settings, servers: unknown): string[] {
  const named = [seeder, tracker.at].filter(
    (name) => isServer(name) && findServers(name, servers).length === 0,
  )
  return [...new Set(named)]
}
