import { spawn } from 'node:child_process'
import { agentFile } from '../../agent-file.ts'
import type { Settings } from '../../config/schema.ts'
import { MurderError } from '../../errors.ts'
import { eventsIn } from '../../protocol/events.ts'

import { agentError } from './agent-error.ts'

/**
 * Runs a command of the agent on the deploy host to its end, which for `tracker` and `seed` is when they listen in the
 * background. Gives what it printed; throws what it failed of. When `signal` aborts, so does the command.
 */
export function runAgent(settings: Settings, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    // In a process group of its own: Ctrl-C in the terminal reaches it only through `signal`.
    const child = spawn(process.execPath, [agentFile, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-2000)
    })
    const stop = () => child.kill('SIGINT')
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    child.on('error', reject)
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop)
      if (signal?.aborted) reject(signal.reason)
      else if (code === 0) resolve(stdout)
      else
        reject(
          failureIn(stdout, settings) ?? new MurderError('AGENT_ENDED', lastWords(args[0] ?? '', stderr)),
        )
    })
  })
}

/** The failure that an agent reported among its events. */
function failureIn(stdout: string, settings: Settings): MurderError | undefined {
  return eventsIn(stdout)
    .flatMap((event) => (event.event === 'failed' ? [agentError(event, settings)] : []))
    .at(-1)
}

function lastWords(command: string, stderr: string): string {
  const line = stderr
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/^murder: /, '')
  return `murder ${command} on the deploy host ended early: ${line || 'it said nothing'}`
}
