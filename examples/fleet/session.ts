import { spawn } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import type { ServerChannel, Session } from 'ssh2'
import { type OwnPath, translateStream, translateText } from './own-path.ts'

export interface Surroundings {
  /** The user's home directory: working directory of every command. */
  home: string
  user: string
  /** The path that commands and their input use for the home of this and of every other server. */
  alias?: OwnPath | undefined
  /** `client address, client port, server address, server port`, as sshd gives it to commands. */
  connection: string
}

/** Commands of one SSH session; a terminal or a subsystem is refused. */
export function serveSession(session: Session, surroundings: Surroundings): void {
  session.on('exec', (accept, _reject, { command }) => run(command, accept(), surroundings))
  for (const refused of ['pty', 'shell', 'sftp', 'x11', 'subsystem'] as const) {
    session.on(refused as 'pty', (_accept, reject) => reject?.())
  }
}

/**
 * As sshd does, this reports the command's exit code or signal when it has ended and all its outputs are closed. When the client
 * goes away, the command isn't killed, but its pipes close.
 */
function run(command: string, channel: ServerChannel, surroundings: Surroundings): void {
  const { home, user, connection, alias } = surroundings
  const child = spawn('/bin/sh', ['-c', alias ? translateText(command, alias) : command], {
    cwd: home,
    detached: true,
    env: {
      HOME: home,
      USER: user,
      LOGNAME: user,
      SHELL: '/bin/sh',
      PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(
        delimiter,
      ),
      SSH_CONNECTION: connection,
    },
  })
  const input = alias ? channel.pipe(translateStream(alias)) : channel
  // Either end may leave first. The other one learns it from the end of the stream, so an error here says nothing new.
  for (const stream of [channel, input, child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
  input.pipe(child.stdin)
  child.stdout.pipe(channel, { end: false })
  child.stderr.pipe(channel.stderr, { end: false })
  channel.on('close', () => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  })
  child.on('error', (error) => {
    channel.stderr.write(`${error.message}\n`)
    finish(channel, 127, null)
  })
  child.on('close', (code, signal) => finish(channel, code, signal))
}

function finish(channel: ServerChannel, code: number | null, signal: NodeJS.Signals | null): void {
  if (channel.destroyed || !channel.writable) return
  if (code === null) channel.exit((signal ?? 'SIGKILL').slice(3), false, '')
  else channel.exit(code)
  // A channel that is closed at once loses the bytes that wait for its window.
  channel.end(() => channel.close())
}
