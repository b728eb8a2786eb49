import { defined } from '../../system/defined.ts'
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
  }
}

/** A copy of `remote` with our options. The user's own win, in whatever spelling. */
export function withOptions(remote: SshRemote, connectSeconds: number, controlPath: string): SshRemote {
  const own = remote.extraSshOptions ?? {}
  const ours = Object.entries(defaults(connectSeconds, controlPath)).filter(
    ([name]) => !(multiplexesItself(remote) && name.startsWith('Control')),
  )
  return { ...remote, extraSshOptions: { ...without(Object.fromEntries(ours), own), ...own } }
}

/**
 * The local shell command for one of our own commands, as ssh-pool builds it. A terminal, which the user's configuration
 * may ask for, would mix both outputs and change their bytes. `login` leaves `asUser` out.
 */
export function sshCommand(
  { connection }: Server,
  command: string,
  { login = false, ...forced }: { login?: boolean; ControlMaster?: string } = {},
): string {
  const { remote } = connection
  const options = { RequestTTY: 'no', ...forced }
  connection.remote = {
    ...remote,
    extraSshOptions: { ...without(remote.extraSshOptions ?? {}, options), ...options },
  }
  try {
    return connection.buildSSHCommand(command, {
      tty: false,
      ...defined({ command: login ? command : undefined }),
    })
  } finally {
    connection.remote = remote
  }
}

/** `options` without those that `others` has too, in upper or lower case. */
function without(options: Record<string, unknown>, others: object): Record<string, unknown> {
  const taken = new Set(Object.keys(others).map((name) => name.toLowerCase()))
  return Object.fromEntries(Object.entries(options).filter(([name]) => !taken.has(name.toLowerCase())))
}

/** Whether the user has set up multiplexing for this remote: then we leave it to them. */
export function multiplexesItself(remote: SshRemote): boolean {
  return Object.keys(remote.extraSshOptions ?? {}).some((name) => /^control(?:master|path)$/i.test(name))
}
