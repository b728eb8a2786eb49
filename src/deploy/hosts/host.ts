import { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { eventsIn } from '../../protocol/events.ts'
import type { RunStatus } from '../../protocol/run-status.ts'
import { defined } from '../../system/defined.ts'
import type { TaskContext } from '../context/context.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { checkedEvent } from './agent-error.ts'
import { startRestarted } from './restart.ts'
import { type Agent, type AgentCommand, type AgentRole, startAgent } from './running-agent.ts'

export interface HostPaths {
  /** Directory of the package, its torrent and other uploads. */
  directory: string
  /** The run directory of the agent. */
  runs: string
}

/** A machine that runs the tracker, the seeder or both: the deploy host, or a server. */
export abstract class Host {
  /** Its name in messages. */
  abstract readonly label: string
  /** Undefined for the deploy host. */
  abstract readonly server: Server | undefined
  readonly directory: string
  readonly runs: string
  protected readonly context: TaskContext

  constructor(context: TaskContext, { directory, runs }: HostPaths) {
    this.context = context
    this.directory = directory
    this.runs = runs
  }

  /** Writes a file that only this user may read; gives its path. */
  abstract put(name: string, content: Buffer | string, directory?: string): Promise<string>
  /** Brings the package there; gives its path. */
  abstract bring(transfer: Transfer): Promise<string>
  /** The content of a file that was put there. */
  abstract get(name: string): Promise<Buffer>
  /** All background runs there. */
  abstract status(): Promise<RunStatus[]>
  /** Removes what was put there. */
  abstract clear(): Promise<void>
  /** Runs a command of the agent; resolves when it has ended, with its failure. */
  protected abstract execute(command: AgentCommand): Promise<MurderError | undefined>

  /** Runs a command of the agent to its end; gives what it printed. Throws its failure. */
  async run(args: readonly string[], signal?: AbortSignal): Promise<string> {
    const lines: string[] = []
    const onLine = (line: string) => {
      checkedEvent(line, this.context.settings)
      lines.push(line)
    }
    const command = { args: [...args, '--run-dir', this.runs], onLine, ...defined({ signal }) }
    const error = await this.execute(command)
    if (error) throw error
    return lines.join('\n')
  }

  /** Starts a tracker or a seeder in the background and waits until it listens. */
  async launch(role: AgentRole, args: readonly string[]): Promise<{ port: number; pid: number }> {
    const printed = await this.run([role, ...args, '--json'], this.context.signal)
    for (const event of eventsIn(printed)) if (event.event === 'listening') return event
    throw new MurderError('AGENT_ENDED', `${this.label}: the ${role} did not say where it listens`)
  }

  /** Starts a tracker or a seeder for as long as this process lives. When it ends by itself it is started again. */
  start(role: AgentRole, args: readonly string[]): Promise<Agent> {
    const { settings, signal } = this.context
    const start = (args: readonly string[]) =>
      startAgent((command) => this.execute(command), args, settings, signal)
    const log = (line: string) => this.context.display.board().log(line)
    return startRestarted(start, role, [...args, '--run-dir', this.runs], log)
  }
}
