import { PassThrough } from 'node:stream'
import { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { parseEvent } from '../../protocol/events.ts'
import { command } from '../../text/shell-quote.ts'
import { agentPath } from '../context/agent-program.ts'
import type { Context } from '../context/context.ts'
import { agentError } from './agent-error.ts'
import type { Agent, Role } from './restart.ts'

/** Seconds that it may take to end when it is told to. */
const PATIENCE = 5

/**
 * Starts an agent on a server and waits until it listens. It ends with the command that it was started by, and so with this
 * process, whatever becomes of it. Ctrl-C ends it until it listens; from then on whoever has it stops it.
 */
export async function startRemote(
  context: Context,
  server: Server,
  role: Role,
  args: readonly string[],
): Promise<{ agent: Agent; port: number }> {
  const { fleet, settings, signal } = context
  const words = [role, ...args, '--foreground', '--until-eof', '--json']
  const input = new PassThrough()
  const end = new AbortController()
  let sent = 0
  let stopping = false
  let heard = (_: number) => {}
  const listening = new Promise<number>((resolve) => {
    heard = resolve
  })
  const run = {
    script: command(settings.node, agentPath(settings), ...words),
    stdin: () => input,
    onLine: (line: string) => {
      const event = parseEvent(line)
      if (event?.event === 'listening') heard(event.port)
      else if (event?.event === 'progress') sent = event.sent ?? sent
      else if (event?.event === 'failed') throw agentError(event, settings)
    },
  }
  const abort = () => end.abort(signal.reason)
  signal.addEventListener('abort', abort)
  const ended = fleet.runOn(server, 'seed', run, { signal: end.signal }).then((outcome) => {
    if (stopping) return undefined
    if (!outcome.ok) return outcome.error
    return new MurderError(
      'AGENT_ENDED',
      `${server.label}: the ${role === 'seed' ? 'seeder' : role} ended early`,
    )
  })
  const agent: Agent = {
    get sent() {
      return sent
    },
    ended,
    async stop() {
      stopping = true
      input.end()
      const timer = setTimeout(() => end.abort(), PATIENCE * 1000)
      await ended
      clearTimeout(timer)
    },
  }
  const first = await Promise.race([listening, ended])
  signal.removeEventListener('abort', abort)
  if (typeof first === 'number') return { agent, port: first }
  throw first ?? new MurderError('AGENT_ENDED', `${server.label}: the ${role} did not say where it listens`)
}
