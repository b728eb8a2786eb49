import { Writable } from 'node:stream'
import { format } from 'node:util'
import type { Shipit } from '../shipit.ts'
import { withoutCommands } from '../text/ci-commands.ts'

/** Shipit has this many listeners on its outputs. */
const MAX_LISTENERS = 100

/**
 * What servers say is in Shipit's log, in errors that it prints, and in the output of commands that ssh-pool runs. In a CI job
 * none of that may be taken for a command to the CI. Lines that a shipitfile writes with `console.log` stay as they are.
 */
export function keepCommandsOut(shipit: Shipit): void {
  if (process.env.GITHUB_ACTIONS !== 'true' && process.env.GITLAB_CI !== 'true') return
  const { options } = shipit
  if (!options) return
  const { log } = options
  options.log = (...words) => log(withoutCommands(format(...words)))
  for (const name of ['stdout', 'stderr'] as const)
    if (options[name] === process[name]) options[name] = new Kept(process[name])
}

/** Gets whole lines. Programs that are piped into it end, and it does not. */
class Kept extends Writable {
  readonly #stream: NodeJS.WriteStream

  constructor(stream: NodeJS.WriteStream) {
    super()
    this.setMaxListeners(MAX_LISTENERS)
    this.#stream = stream
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#stream.write(withoutCommands(chunk.toString()))
    done()
  }

  override end(): this {
    return this
  }
}
