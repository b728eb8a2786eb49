import { userInfo } from 'node:os'
import type { LinkTarget } from '../../protocol/link.ts'

/** In the private directory of links. ssh runs there, so that no path needs quotes. */
export const KEY_FILE = 'key'
export const CONFIG_FILE = 'config'
export const knownHostsFile = (name: string): string => `known_hosts-${name}`

/** Seconds for one address. */
const CONNECT_TIMEOUT_S = 4

/**
 * What ssh needs to reach these, and no setting of the user. `Host` is the target's name, which alone is on the argument list. Only
 * this key is offered, and only the host keys that the deploy host knows count. Throws for what would have another meaning.
 */
export function sshConfig(targets: readonly (LinkTarget & { host: string })[]): string {
  return targets.map((target) => sectionOf(target)).join('')
}

function sectionOf({
  name,
  host,
  port,
  user = userInfo().username,
  hostName,
}: LinkTarget & { host: string }) {
  for (const word of [name, host, user, hostName])
    if (!/^[\w.:@%+\\-]+$/.test(word) || word.startsWith('-'))
      throw new Error(`${JSON.stringify(word)} is no name`)
  const options = {
    HostName: host.replaceAll('%', '%%'),
    Port: port,
    User: user,
    HostKeyAlias: hostName,
    IdentityFile: KEY_FILE,
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
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
