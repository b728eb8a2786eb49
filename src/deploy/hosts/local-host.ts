import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { agentFile } from '../../agent-file.ts'
import { MurderError } from '../../errors.ts'
import { writePrivate } from '../../files/private-file.ts'
import { parseRuns, type RunStatus } from '../../protocol/run-status.ts'
import { lastWords } from '../../text/last-words.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { Host } from './host.ts'
import { DEPLOY_HOST } from './placement.ts'
import type { AgentCommand } from './running-agent.ts'

/** How much of the agent's standard error is kept. */
const MAX_STDERR_CHARACTERS = 2000

export class LocalHost extends Host {
  readonly label = DEPLOY_HOST
  readonly server = undefined

  async put(name: string, content: Buffer | string, directory = this.directory): Promise<string> {
    const path = join(directory, name)
    await writePrivate(path, content)
    return path
  }

  /** It was made here. */
  async bring({ file }: Transfer): Promise<string> {
    return file
  }

  get(name: string): Promise<Buffer> {
    return readFile(join(this.directory, name))
  }

  async status(): Promise<RunStatus[]> {
    return parseRuns(await this.run(['status', '--json']))
  }

  /** A deploy's files here are in its temporary directory and are removed with it. */
  async clear(): Promise<void> {}

  protected execute({ args, onLine, input, signal }: AgentCommand): Promise<MurderError | undefined> {
    // In a process group of its own: Ctrl-C in the terminal is for the task, which then ends the agent in order.
    const child = spawn(process.execPath, [agentFile, ...args], {
      stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let failure: MurderError | undefined
    let stderr = ''
    const { stdin, stdout } = child
    if (stdin) input?.pipe(stdin).on('error', () => {})
    if (stdout) {
      createInterface({ input: stdout }).on('line', (line) => {
        try {
          onLine(line)
        } catch (error) {
          failure = error as MurderError
        }
      })
    }
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-MAX_STDERR_CHARACTERS)
    })
    // An agent that reads an input ends when its input ends.
    const stop = () => child.kill(input ? 'SIGKILL' : 'SIGINT')
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    return new Promise((resolve) => {
      const early = (words: string) =>
        new MurderError('AGENT_ENDED', `${nameOf(args, input)} ended early: ${words}`)
      child.once('error', (cause) => resolve(early(cause.message)))
      child.once('close', (code) => {
        signal?.removeEventListener('abort', stop)
        if (signal?.aborted) resolve(signal.reason)
        else if (code === 0 && !input) resolve(undefined)
        else resolve(failure ?? early(lastWords(stderr)?.replace(/^murder: /, '') ?? 'it said nothing'))
      })
    })
  }
}

function nameOf([command]: readonly string[], input: unknown): string {
  if (!input) return `murder ${command} on ${DEPLOY_HOST}`
  return command === 'seed' ? 'The seeder' : `The ${command}`
}
