import { quote } from '../../../text/shell-quote.ts'
import { LocalChild } from '../local-process.ts'
import { hidesCause } from '../messages/diagnose.ts'
import { sshCommand } from '../options.ts'
import type { Server } from '../server.ts'
import { Tail } from '../tail.ts'
import { configurationOf, valueIn } from './configuration.ts'

/** A verbose ssh prints about 5 kB for each machine on the way. */
const MAX_WORDS_BYTES = 64 << 10

/**
 * Why the way through a bastion failed, where ssh does not say so: ~/.ssh/config also counts for the bastion's own ssh, and its
 * LogLevel may hide all reasons. Options of ours do not get there, but `-v` does. So a login that is made only for this tells.
 */
export class Explanation {
  readonly #server: Server
  readonly #seconds: number
  #said: string | undefined

  /** `seconds` is how long that login may take; 0 is no limit. */
  constructor(server: Server, seconds: number) {
    this.#server = server
    this.#seconds = seconds
  }

  /** `result` with the reason in its `stderr`, where it has none and one was found. Never rejects. */
  async of<Result extends { stderr: string }>(result: Result, signal: AbortSignal): Promise<Result> {
    if (!hidesCause(result)) return result
    this.#said ??= await this.#ask(signal)
    return this.#said === undefined ? result : { ...result, stderr: this.#said }
  }

  /** Undefined when that login works or takes too long. */
  async #ask(signal: AbortSignal): Promise<string | undefined> {
    const configuration = await configurationOf(this.#server)
    if (signal.aborted) return undefined
    const child = new LocalChild(verboseCommand(this.#server, valueIn(configuration, 'proxycommand')))
    const words = new Tail(MAX_WORDS_BYTES)
    child.process.stderr.on('data', (chunk: Buffer) => words.push(chunk))
    child.process.stdout.resume()
    child.process.stdin.end()
    const stop = () => void child.kill()
    const limit = this.#seconds > 0 ? setTimeout(stop, this.#seconds * 1000) : undefined
    signal.addEventListener('abort', stop, { once: true })
    const { exitCode } = await child.ended
    clearTimeout(limit)
    signal.removeEventListener('abort', stop)
    return exitCode === SSH_FAILED ? messagesIn(words.toString()) : undefined
  }
}

/** The exit code of ssh itself. */
const SSH_FAILED = 255

/** A login that shares no connection, says all, and does nothing. */
function verboseCommand(server: Server, proxyCommand: string | undefined): string {
  const login = sshCommand(server, 'true', { login: true, ControlMaster: 'no', ControlPath: 'none' })
  const proxy = proxyCommand === undefined ? '' : ` -o ProxyCommand=${quote(verboseProxy(proxyCommand))}`
  return login.replace(/^ssh/, () => `ssh -v${proxy}`)
}

/** A ProxyCommand that is an ssh gets `-v`, and loses what would silence it again; any other stays as it is. */
export function verboseProxy(command: string): string {
  if (!/^(?:\S*\/)?ssh /.test(command)) return command
  // Without -W it ends with a command for the bastion, whose -q is another.
  const silent = / -\w*W/.test(command) ? / -q(?=[ W]|$)/g : /(?<=^\S*ssh) -q(?= )/
  return command
    .replace(silent, (_, at: number) => (command[at + ' -q'.length] === 'W' ? ' -' : ''))
    .replace(/ 2> ?\/dev\/null\b/, '')
    .replace(/ssh /, 'ssh -v ')
}

/** Without what only a verbose ssh prints, but for the machines to which it logs in. */
export const messagesIn = (verbose: string): string =>
  verbose
    .split(/\r?\n/)
    .filter((line) => !VERBOSE_LINE.test(line))
    .join('\n')

const VERBOSE_LINE =
  /^(?:debug\d: (?!Authenticating to )|OpenSSH_\d|Authenticated to |Transferred: |Bytes per second: |Killed by signal )/
