import type { SshRemote } from './server.ts'

/**
 * OpenSSH options for all commands of a run. `ControlMaster=no` uses the master at `controlPath` when there is one and
 * connects by itself when not; masters are started by `Master` alone, which saves the race of parallel first commands.
 */
function defaults(connectSeconds: number, controlPath: string): Record<string, string> {
  return {
    ControlMaster: 'no',
    ControlPath: controlPath,
    ControlPersist: 'no',
    ConnectTimeout: String(connectSeconds),
    ServerAliveInterval: '10',
    ServerAliveCountMax: '3',
    // A prompt would wait for ever: nobody sees it among the output of many servers.
    BatchMode: 'yes',
  }
}

/** A copy of `remote` with our options under the user's own, which win, whatever their spelling. */
export function withOptions(remote: SshRemote, connectSeconds: number, controlPath: string): SshRemote {
  const own = remote.extraSshOptions ?? {}
  const taken = new Set(Object.keys(own).map((name) => name.toLowerCase()))
  const ours = Object.entries(defaults(connectSeconds, controlPath)).filter(
    ([name]) => !taken.has(name.toLowerCase()) && !(multiplexesItself(remote) && name.startsWith('Control')),
  )
  return { ...remote, extraSshOptions: { ...Object.fromEntries(ours), ...own } }
}

/** Whether the user has set up multiplexing for this remote: then it is theirs to run. */
export function multiplexesItself(remote: SshRemote): boolean {
  return Object.keys(remote.extraSshOptions ?? {}).some((name) => /^control(?:master|path)$/i.test(name))
}
