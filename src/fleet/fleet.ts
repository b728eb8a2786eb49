import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { MurderError } from '../errors.ts'
import type { Command, Outcome, RunOptions } from './command.ts'
import { CommandRun, type Transport, type Turn } from './command-run.ts'
import { Limit } from './limit.ts'
import { makeControlDirectory } from './ssh/connection/control-directory.ts'
import { SharedConnection } from './ssh/connection/shared-connection.ts'
import { abortError } from './ssh/messages/diagnose.ts'
import { multiplexesItself, withOptions } from './ssh/options.ts'
import { PooledOptions } from './ssh/pooled-options.ts'
import { type Server, type SshConnection, toServers } from './ssh/server.ts'
import type { RunningShell } from './ssh/session.ts'

export interface FleetOptions {
  /** Servers outside the run that can be named, such as those of tracker and seeder. */
  besides?: readonly SshConnection[]
  /** How many commands may start at the same time. A command that has started no longer counts. */
  concurrency?: number
  /** Seconds from the start of ssh until the server's shell answers. */
  connectSeconds?: number
  /** Parent of the directory for control sockets. */
  controlDirectory?: string
  /** How often at most we retry when sshd rejects a connection before the login. */
  retries?: number
  random?: () => number
  /** Called when a command on a server has ended, or is tried again, with the seconds since its begin. */
  onCommand?: (server: Server, step: string, seconds: number, outcome: Outcome | 'again') => void
}

/** Commands on all servers through ssh-pool's connections: one SSH connection per server, a result from each. */
export class Fleet {
  readonly #everyone: readonly Server[]
  /** Servers outside of the run. */
  readonly besides: readonly Server[]
  #all: readonly Server[]
  #servers: readonly Server[]
  readonly #options: Required<Omit<FleetOptions, 'besides'>>
  readonly #limit: Limit
  readonly #directory: string
  readonly #pooledOptions = new PooledOptions()
  readonly #connections = new Map<Server, SharedConnection>()
  readonly #shells = new Map<Server, RunningShell>()
  readonly #closing = new AbortController()

  /** Sets OpenSSH options on `connections`, so that Shipit's own commands share the connections too. */
  constructor(connections: readonly SshConnection[], options: FleetOptions = {}) {
    const { besides = [], ...rest } = options
    const all = toServers([...connections, ...besides])
    this.#everyone = all
    this.#all = all.slice(0, connections.length)
    this.#servers = this.#all
    this.besides = all.slice(connections.length)
    this.#options = {
      concurrency: 30,
      connectSeconds: 15,
      controlDirectory: '',
      retries: 12,
      random: Math.random,
      onCommand: () => {},
      ...rest,
    }
    this.#limit = new Limit(this.#options.concurrency)
    this.#directory = makeControlDirectory(this.#options.controlDirectory || undefined)
    process.once('exit', this.#removeDirectory)
    for (const [index, server] of this.#everyone.entries()) {
      const { connection } = server
      const { connectSeconds, retries, random, onCommand } = this.#options
      const socket = join(this.#directory, String(index))
      if (!multiplexesItself(connection.remote)) {
        this.#connections.set(
          server,
          new SharedConnection(server, socket, retries, random, () =>
            onCommand(server, 'connect', 0, 'again'),
          ),
        )
      }
      this.#pooledOptions.replace(connection, withOptions(connection.remote, connectSeconds, socket))
    }
  }

  /** The servers of this run: those of the shipitfile, unless it was confined. */
  get all(): readonly Server[] {
    return this.#all
  }

  /** All servers of the shipitfile, and then those outside of the run. */
  get everyone(): readonly Server[] {
    return this.#everyone
  }

  /** From now on only these servers belong to the run. */
  confine(servers: readonly Server[]): void {
    this.#all = this.#all.filter((server) => servers.includes(server))
    this.#servers = this.#servers.filter((server) => servers.includes(server))
  }

  /** The servers that take part: all but those that were left out. */
  get servers(): readonly Server[] {
    return this.#servers
  }

  /** From now on commands run on these servers only when they are named. */
  leaveOut(servers: readonly Server[]): void {
    this.#servers = this.#servers.filter((server) => !servers.includes(server))
  }

  /**
   * Runs one script per server and returns the outcomes in the order of the servers. A server's failure is its outcome;
   * this rejects only for a mistake in `plan`. `step` names the work in messages.
   */
  async run(step: string, plan: (server: Server) => Command, options: RunOptions = {}): Promise<Outcome[]> {
    const work = (options.servers ?? this.servers).map((server) => ({ server, command: plan(server) }))
    return Promise.all(work.map(({ server, command }) => this.runOn(server, step, command, options)))
  }

  /** The same on one server. */
  async runOn(
    server: Server,
    step: string,
    command: Command,
    options: Omit<RunOptions, 'servers'> = {},
  ): Promise<Outcome> {
    const signal = AbortSignal.any([this.#closing.signal, ...(options.signal ? [options.signal] : [])])
    const turn: Turn = { server, step, command, options, signal, release: () => {} }
    const begun = performance.now()
    try {
      turn.release = await this.#limit.acquire(signal)
      const outcome = await new CommandRun(turn, this.#transport(server, step)).outcome()
      this.#options.onCommand(server, step, (performance.now() - begun) / 1000, outcome)
      return outcome
    } catch (error) {
      if (!signal.aborted) throw error
      return { server, ok: false, error: abortError(signal, server.label, step) }
    } finally {
      turn.release()
    }
  }

  /** Runs a command on one server and gives its stdout. Throws that server's failure. */
  async one(
    server: Server,
    step: string,
    command: Command,
    options: Omit<RunOptions, 'servers'> = {},
  ): Promise<string> {
    const outcome = await this.runOn(server, step, command, options)
    if (!outcome.ok) throw outcome.error
    return outcome.stdout
  }

  /** From now on, until this shell ends, it runs all repeatable commands that take no input. */
  useShell(server: Server, shell: RunningShell): void {
    this.#shells.set(server, shell)
    void shell.ended.then(() => {
      if (this.#shells.get(server) === shell) this.#shells.delete(server)
    })
  }

  /** Ends all connections, within seconds, and gives the connections their own options back. Harmless when repeated. */
  async close(): Promise<void> {
    this.#closing.abort(new MurderError('CLOSED', 'The connections to the fleet are closed'))
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()))
    this.#pooledOptions.restore()
    process.removeListener('exit', this.#removeDirectory)
    this.#removeDirectory()
  }

  #transport(server: Server, step: string): Transport {
    const { connectSeconds, retries, random, onCommand } = this.#options
    const connection = this.#connections.get(server)
    const shell = this.#shells.get(server)
    const onRetry = () => onCommand(server, step, 0, 'again')
    return { connection, shell, connectSeconds, retries, random, onRetry }
  }

  readonly #removeDirectory = () => rmSync(this.#directory, { recursive: true, force: true })
}
