import { userInfo } from 'node:os'
import { isLinkCommand, type LinkTarget } from '../../protocol/link.ts'

/** In the private directory of links. ssh runs there, so that no path needs quotes. */
export const KEY_FILE = 'key'
export const CONFIG_FILE = 'config'
export const knownHostsFile = (name: string): string => `known_hosts-${name}`

/** Seconds for one address. */
const CONNECT_TIMEOUT_S = 4

/** Variables that would let a client change what the forced command does, where sshd takes all of them (AcceptEnv). */
export const UNWANTED_VARIABLES = ['MURDER_PROBE', 'BASH_ENV'] as const

/** A target whose address is known. */
export type Placed = LinkTarget & { host: string }

/** The first part of a target that would have a special meaning for ssh. */
export const badWordOf = ({ name, host, user = '', hostName, command }: Placed): string | undefined =>
  [name, host, user, hostName].find((word) => word !== '' && !/^[\w[:][\w.:@+[\]-]*$/.test(word)) ??
  (isLinkCommand(command ?? 'exec true') ? undefined : command)

/**
 * What ssh needs to reach these targets, and no setting of the user. `Host` is the target's name; only that is on the argument
 * list. Only this key is offered, or only those of the forwarded agent, and only the host keys that the deploy host knows count.
 */
export const sshConfig = (targets: readonly Placed[]): string =>
  targets.map((target) => sectionOf(target)).join('')

const KEY_LOGIN = {
  IdentityFile: KEY_FILE,
  IdentitiesOnly: 'yes',
  IdentityAgent: 'none',
  IgnoreUnknown: 'SetEnv', // before OpenSSH 7.8
  SetEnv: UNWANTED_VARIABLES.map((variable) => `${variable}=/dev/null`).join(' '),
}
const AGENT_LOGIN = { IdentityFile: 'none', IdentityAgent: 'SSH_AUTH_SOCK' }

function sectionOf({ name, host, port, user = userInfo().username, hostName, command }: Placed): string {
  const options = {
    HostName: host,
    Port: port,
    User: user,
    HostKeyAlias: hostName,
    ...(command === undefined ? KEY_LOGIN : AGENT_LOGIN),
    PreferredAuthentications: 'publickey',
    UserKnownHostsFile: knownHostsFile(name),
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    CheckHostIP: 'no',
    BatchMode: 'yes',
    ConnectTimeout: CONNECT_TIMEOUT_S,
    ServerAliveInterval: 10,
    ServerAliveCountMax: 3,
    ClearAllForwardings: 'yes',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    ControlPath: 'none',
    PermitLocalCommand: 'no',
    RequestTTY: 'no',
    Compression: 'no',
    // Its messages say why it fails. With more it also prints the server's banner.
    LogLevel: 'ERROR',
  }
  const lines = Object.entries(options).map(([option, value]) => `  ${option} ${value}\n`)
  return `Host ${name}\n${lines.join('')}`
}

/** A known_hosts file for one target. */
export function knownHosts({ hostName, hostKeys }: LinkTarget): string {
  return hostKeys
    .map((key) => {
      const authority = /^@cert-authority (.*)$/.exec(key)?.[1]
      return authority === undefined ? `${hostName} ${key}\n` : `@cert-authority ${hostName} ${authority}\n`
    })
    .join('')
}
