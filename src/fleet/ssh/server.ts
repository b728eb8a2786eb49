import { isIPv6 } from 'node:net'
import { ExitCode, MurderError } from '../../errors.ts'
import { formatServerName, parseServerName } from '../../text/server-name.ts'

/** The part of ssh-pool's `Connection` that we use. It is typed here because the user's shipit-cli brings its own copy. */
export interface SshConnection {
  remote: SshRemote
  options: { key?: string; asUser?: string; [name: string]: unknown }
  buildSSHCommand(command: string, options?: { tty?: boolean; command?: string | undefined }): string
}

export interface SshRemote {
  user?: string
  host: string
  port?: number | string
  /** The name that the user has given it. */
  label?: string
  extraSshOptions?: Record<string, unknown>
}

export interface Server {
  /** Its own name, or `user@host`, with `:port` unless it is 22, and an IPv6 address in brackets. Unique in its fleet. */
  readonly label: string
  readonly user: string
  readonly host: string
  readonly port: number
  /** The command that does the same login by hand. */
  readonly byHand: string
  readonly connection: SshConnection
}

/** The fleet's servers, in the order of the shipitfile. Throws NO_SERVERS, BAD_SERVER or SAME_SERVER. */
export function toServers(connections: readonly SshConnection[]): Server[] {
  if (connections.length === 0) {
    throw new MurderError('NO_SERVERS', 'There are no servers to deploy to', {
      exitCode: ExitCode.usage,
      cure: 'add them to "servers" in the shipitfile',
    })
  }
  const servers = connections.map(toServer)
  const labels = new Set<string>()
  for (const { label } of servers) {
    if (labels.has(label)) {
      throw new MurderError('SAME_SERVER', `${label} is in "servers" twice`, {
        exitCode: ExitCode.usage,
        cure: 'remove one of the two entries',
      })
    }
    labels.add(label)
  }
  return servers
}

function toServer(connection: SshConnection): Server {
  const { remote } = connection
  refuseAddressText(connection)
  const user = remote.user ?? 'deploy'
  const port = Number(remote.port ?? 22)
  // ssh-pool puts these into a local shell command unquoted.
  const unsafe = [remote.host, user, connection.options.asUser ?? ''].find((word) => !isPlainWord(word))
  if (unsafe !== undefined) {
    throw new MurderError('BAD_SERVER', `${JSON.stringify(unsafe)} in "servers" is no host or user name`, {
      exitCode: ExitCode.usage,
      cure: 'use letters, digits and . _ - : @ % + only',
    })
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new MurderError(
      'BAD_SERVER',
      `Port ${JSON.stringify(remote.port)} of ${remote.host} is no port number`,
      {
        exitCode: ExitCode.usage,
        cure: 'use 1 to 65535',
      },
    )
  }
  const host = remote.host.toLowerCase()
  const label = remote.label ?? formatServerName(user, host, port === 22 ? undefined : port)
  return { label, user, host, port, byHand: loginOf(connection), connection }
}

/** ssh-pool splits the text of an IPv6 address at its colons, and ssh takes none with brackets. */
function refuseAddressText({ remote, options }: SshConnection): void {
  const text = typeof options.remote === 'string' ? options.remote : remote.host
  const { user = remote.user ?? 'deploy', host = '', port = remote.port } = parseServerName(text) ?? {}
  if (!isIPv6(host) || host === remote.host) return
  const fields = [`host: '${host}'`, `user: '${user}'`, ...(port ? [`port: ${port}`] : [])]
  throw new MurderError(
    'BAD_SERVER',
    `${JSON.stringify(text)} in "servers" does not reach ssh as an IPv6 address`,
    {
      exitCode: ExitCode.usage,
      cure: `write it as an object: { ${fields.join(', ')} }`,
    },
  )
}

/** As ssh-pool builds it for the deploy itself, with the user's key and options, before ours are added. */
function loginOf(connection: SshConnection): string {
  return connection.buildSSHCommand('', { tty: false, command: undefined })
}

function isPlainWord(word: string): boolean {
  return /^[\p{L}\p{N}._:@%+\\[\]-]*$/u.test(word) && !word.startsWith('-')
}
