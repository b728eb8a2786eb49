import { defined } from '../../system/defined.ts'
import { clientVersion } from './client-version.ts'
import type { Server, SshRemote } from './server.ts'

/**
 * OpenSSH options for all commands of a run. With `ControlMaster=no` ssh uses the master at `controlPath`, and connects by
 * itself when there is none. Only `Master` starts masters, so that parallel first commands do not race to be one.
 */
function defaults(connectSeconds: number, controlPath: string): Record<string, string> {
  return {
    ControlMaster: 'no',
    ControlPath: controlPath,
    ControlPersist: 'no',
    ConnectTimeout: String(connectSeconds),
    ServerAliveInterval: '10',
    ServerAliveCountMax: '3',
    // A prompt would wait for ever, because nobody sees it among the output of many servers.
    BatchMode: 'yes',
    // Forwardings in ~/.ssh/config are for people. If another ssh has taken such a port already, the connection would end.
    ClearAllForwardings: 'yes',
    Tunnel: 'no',
    PermitLocalCommand: 'no',
  }
}

/**
 * These make a session run our command and explain failures, whatever ~/.ssh/config says. Each has the first version of OpenSSH
 * that knows it. A terminal would mix both outputs and change their bytes.
 */
const SESSION: readonly [name: string, value: string, since: number][] = [
  ['RequestTTY', 'no', 5.9],
  ['RemoteCommand', 'none', 7.6],
  ['SessionType', 'default', 8.7],
  ['StdinNull', 'no', 8.7],
  ['ForkAfterAuthentication', 'no', 8.7],
]

/** A copy of `remote` with our options. The user's own win, in whatever spelling. */
export function withOptions(remote: SshRemote, connectSeconds: number, controlPath: string): SshRemote {
  const own = remote.extraSshOptions ?? {}
  const ours = Object.entries(defaults(connectSeconds, controlPath)).filter(
    ([name]) =>
      !(multiplexesItself(remote) && name.startsWith('Control')) &&
      !(forwards(remote) && name === 'ClearAllForwardings'),
  )
  return { ...remote, extraSshOptions: { ...without(Object.fromEntries(ours), own), ...own } }
}

/** How one command is connected, whatever the others and the user's own options say. */
export interface ForcedOptions {
  ControlMaster?: string
  ControlPath?: string
}

/** The local shell command for one of our own commands, as ssh-pool builds it. `login` leaves `asUser` out. */
export function sshCommand(
  { connection }: Server,
  command: string,
  { login = false, ...forced }: ForcedOptions & { login?: boolean } = {},
  version = clientVersion(),
): string {
  const { remote } = connection
  const own = remote.extraSshOptions ?? {}
  const options = { ...sessionOptions(own, version), ...forced }
  connection.remote = { ...remote, extraSshOptions: { ...without(own, options), ...options } }
  try {
    return connection.buildSSHCommand(command, {
      tty: false,
      ...defined({ command: login ? command : undefined }),
    })
  } finally {
    connection.remote = remote
  }
}

/**
 * Turns `byHand`, a login as people type it, into one like ours: it asks nothing, and ~/.ssh/config cannot change what it runs.
 */
export function asOurs(byHand: string, version = clientVersion()): string {
  const { BatchMode, ClearAllForwardings, Tunnel, PermitLocalCommand } = defaults(0, '')
  const isOwn = (name: string) => new RegExp(`-o ${name}=`, 'i').test(byHand)
  const forwardsItself = /-o \w+Forward=/i.test(byHand)
  const ours = { BatchMode, ...(forwardsItself ? {} : { ClearAllForwardings }), Tunnel, PermitLocalCommand }
  const options = [
    ...Object.entries(ours).filter(([name]) => !isOwn(name)),
    ...SESSION.filter(([, , since]) => version >= since),
  ]
  return byHand.replace(/^ssh /, `ssh ${options.map(([name, value]) => `-o ${name}=${value} `).join('')}`)
}

function sessionOptions(own: Record<string, unknown>, version: number): Record<string, string> {
  const known = SESSION.filter(([, , since]) => version >= since).map(([name, value]) => [name, value])
  const [, level] = Object.entries(own).find(([name]) => /^loglevel$/i.test(name)) ?? []
  // Without its messages nobody could say why ssh has failed.
  const isSilent = level === undefined || /^(?:quiet|fatal)$/i.test(String(level))
  return { ...Object.fromEntries(known), ...(isSilent ? { LogLevel: 'INFO' } : {}) }
}

/** `options` without those that `others` has too, in upper or lower case. */
function without(options: Record<string, unknown>, others: object): Record<string, unknown> {
  const taken = new Set(Object.keys(others).map((name) => name.toLowerCase()))
  return Object.fromEntries(Object.entries(options).filter(([name]) => !taken.has(name.toLowerCase())))
}

/** Whether the user has set up multiplexing for this remote: then we leave it to them. */
export function multiplexesItself(remote: SshRemote): boolean {
  return hasOption(remote, /^control(?:master|path)$/i)
}

/** Whether the user has the deploy's own connections forward something. */
const forwards = (remote: SshRemote) => hasOption(remote, /^(?:local|remote|dynamic)forward$/i)

const hasOption = ({ extraSshOptions = {} }: SshRemote, name: RegExp) =>
  Object.keys(extraSshOptions).some((key) => name.test(key))
