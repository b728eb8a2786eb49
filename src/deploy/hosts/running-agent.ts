import { PassThrough, type Readable } from 'node:stream'
import type { Settings } from '../../config/schema.ts'
import type { MurderError } from '../../errors.ts'
import { checkedEvent } from './agent-error.ts'

/** How long it may take to end when it is told to. */
const STOP_TIMEOUT_MS = 5000

/** The commands of the agent that start a tracker and a seeder. */
export type AgentRole = 'tracker' | 'seed'

/** A command of the agent. `onLine` gets each line that it prints. An error from `onLine` becomes the command's failure. */
export interface AgentCommand {
  args: readonly string[]
  onLine: (line: string) => void
  /** Its standard input. A command with an input runs until its input ends. If it ends earlier, that is a failure. */
  input?: Readable
  signal?: AbortSignal
}

/** A tracker or a seeder that lives as long as this process. */
export interface Agent {
  readonly port: number
  /** Content bytes that it has sent so far. */
  readonly sent: number
  /** Settles when the agent has ended: with the reason, or with undefined when it was stopped. */
  readonly ended: Promise<MurderError | undefined>
  stop(): Promise<void>
}

/**
 * Starts an agent and waits until it listens. It ends when its standard input ends, and so with this process, however this ends.
 * `signal` ends it only until it listens; after that the caller stops it in order.
 */
export async function startAgent(
  execute: (command: AgentCommand) => Promise<MurderError | undefined>,
  args: readonly string[],
  settings: Settings,
  signal: AbortSignal,
): Promise<Agent> {
  const input = new PassThrough()
  const end = new AbortController()
  let sent = 0
  let stopping = false
  let heard = (_: number) => {}
  const listening = new Promise<number>((resolve) => {
    heard = resolve
  })
  const onLine = (line: string) => {
    const event = checkedEvent(line, settings)
    if (event?.event === 'listening') heard(event.port)
    else if (event?.event === 'progress') sent = event.sent ?? sent
  }
  const abort = () => end.abort(signal.reason)
  signal.addEventListener('abort', abort)
  const words = [...args, '--foreground', '--until-eof', '--json']
  const run = execute({ args: words, onLine, input, signal: end.signal })
  const ended = run.then((error) => (stopping ? undefined : error))
  const first = await Promise.race([listening, ended])
  signal.removeEventListener('abort', abort)
  if (typeof first !== 'number') throw first
  return {
    port: first,
    get sent() {
      return sent
    },
    ended,
    async stop() {
      stopping = true
      input.end()
      const timer = setTimeout(() => end.abort(), STOP_TIMEOUT_MS)
      await ended
      clearTimeout(timer)
    },
  }
}
