import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { agentFile } from '../../agent-file.ts'
import type { Settings } from '../../config/schema.ts'
import { MurderError } from '../../errors.ts'
import type { AgentEvent } from '../../protocol/events.ts'
import { parseEvent } from '../../protocol/events.ts'

import { agentError } from './agent-error.ts'

type Listening = AgentEvent & { event: 'listening' }

/** An agent on the deploy host, for as long as this process lives: it ends when its standard input closes. */
export class LocalAgent {
  /** Content bytes that it has sent so far. */
  sent = 0
  /** Settles when the agent ended by itself: with what it said, or undefined when it was stopped. */
  readonly ended: Promise<MurderError | undefined>
  private readonly settings: Settings
  private readonly child: ChildProcess
  private failed: MurderError | undefined
  private stopping = false
  private heard!: (listening: Listening) => void
  private readonly listening = new Promise<Listening>((resolve) => {
    this.heard = resolve
  })

  private constructor(settings: Settings, role: string, args: readonly string[]) {
    this.settings = settings
    // In a process group of its own: Ctrl-C in the terminal is for the deploy, which then ends this one in order.
    this.child = spawn(
      process.execPath,
      [agentFile, role, ...args, '--foreground', '--until-eof', '--json'],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      },
    )
    let said = ''
    this.child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000)
    })
    this.child.stdin?.on('error', () => {})
    if (this.child.stdout) createInterface({ input: this.child.stdout }).on('line', (line) => this.take(line))
    this.ended = new Promise((resolve) => {
      this.child.once('error', (cause) => resolve(ended(role, cause.message)))
      this.child.once('close', () => {
        const words = said.trim().split('\n').at(-1) ?? ''
        resolve(this.stopping ? undefined : (this.failed ?? ended(role, words)))
      })
    })
  }

  /** Starts it and waits until it listens. */
  static async start(
    settings: Settings,
    role: 'tracker' | 'seed',
    args: readonly string[],
  ): Promise<{ agent: LocalAgent; port: number }> {
    const agent = new LocalAgent(settings, role, args)
    const first = await Promise.race([agent.listening, agent.ended])
    if (first && 'port' in first) return { agent, port: first.port }
    throw first
  }

  /** Ends it, and waits until it is gone. */
  async stop(): Promise<void> {
    this.stopping = true
    this.child.stdin?.end()
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000)
    await this.ended
    clearTimeout(timer)
  }

  private take(line: string): void {
    const event = parseEvent(line)
    if (event?.event === 'listening') this.heard(event)
    else if (event?.event === 'progress') this.sent = event.sent ?? this.sent
    else if (event?.event === 'failed') this.failed = agentError(event, this.settings)
  }
}

function ended(role: string, words: string): MurderError {
  return new MurderError(
    'AGENT_ENDED',
    `The ${role === 'seed' ? 'seeder' : role} ended early: ${words || 'it said nothing'}`,
  )
}
