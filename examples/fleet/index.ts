import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError, MurderError } from '../../src/errors.ts'
import { makeKey } from './keys.ts'
import { type EmbeddedServer, startServer } from './server.ts'

export interface FleetOptions {
  count: number
  /** Directory for keys and home directories; made when it is missing. No spaces or special characters in its path. */
  root: string
  /** Port of every server. With 0, the default, the system chooses. */
  port?: number
  user?: string
}

export interface ExampleFleet {
  servers: EmbeddedServer[]
  /** Path of the private key that may log in to all of them. */
  keyPath: string
  /** Path of a known_hosts file with all host keys. */
  knownHostsPath: string
  /** `servers` of a shipitfile; its `key` is `keyPath`. */
  remotes: Remote[]
  /** A path that is every server's own home, for `deployTo`: `root/server-N`. */
  home: string
  /** Closes all servers and their connections. Files stay. */
  stop(): Promise<void>
}

export interface Remote {
  host: string
  port: number
  user: string
  home: string
  extraSshOptions: Record<string, string>
}

/**
 * A fleet of SSH servers in this process, for trying things out: no sshd, no root. Server n listens on 127.0.0.(n + 2), or
 * on 127.0.0.1 where the system has no other loopback addresses, and its home is `root/server-(n + 1)`. A command that says
 * `root/server-N` means the home of the server that runs it.
 */
export async function startFleet({
  count,
  root,
  port = 0,
  user = 'deploy',
}: FleetOptions): Promise<ExampleFleet> {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const directory = realpathSync(root)
  // ssh-pool passes key and options through a shell unquoted.
  if (!/^[\w./-]+$/.test(directory)) {
    throw new MurderError(
      'BAD_VALUE',
      `The fleet's directory ${JSON.stringify(directory)} has special characters`,
      {
        cure: 'use a path of letters, digits and . _ - only',
      },
    )
  }
  const userKey = makeKey(directory, 'user_key')
  const hostKey = makeKey(directory, 'host_key')
  const servers: EmbeddedServer[] = []
  const digits = String(count).length
  const shared = join(directory, `server-${'N'.repeat(digits)}`)
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    for (let index = 0; index < count; index++) {
      const home = join(directory, `server-${String(index + 1).padStart(digits, '0')}`)
      mkdirSync(home, { recursive: true })
      const alias = { shared, own: home }
      const keys = { hostKey: hostKey.private, authorizedKey: userKey.public }
      servers.push(await listen(index, { port, user, home, alias, ...keys }))
    }
  } catch (error) {
    await stop()
    throw error
  }
  const knownHostsPath = join(directory, 'known_hosts')
  const known = servers.map((server) => `[${server.host}]:${server.port} ${hostKey.public}\n`)
  writeFileSync(knownHostsPath, known.join(''))
  const extraSshOptions = { UserKnownHostsFile: knownHostsPath, IdentitiesOnly: 'yes', IdentityAgent: 'none' }
  const remotes = servers.map(({ host, port, user, home }) => ({ host, port, user, home, extraSshOptions }))
  return { servers, keyPath: userKey.path, knownHostsPath, remotes, home: shared, stop }
}

async function listen(
  index: number,
  options: Omit<Parameters<typeof startServer>[0], 'host'>,
): Promise<EmbeddedServer> {
  try {
    return await startServer({ ...options, host: `127.0.0.${index + 2}` })
  } catch (error) {
    // macOS has only 127.0.0.1 until someone adds more.
    if (!isSystemError(error, 'EADDRNOTAVAIL')) throw error
    return await startServer({ ...options, host: '127.0.0.1', port: 0 })
  }
}
