import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { MurderError } from '../errors.ts'
import { backoff, pause } from '../system/backoff.ts'
import { Limit } from './limit.ts'
import { remoteCommand } from './ssh/bootstrap.ts'
import { makeControlDirectory } from './ssh/control-directory.ts'
import {
  abortError,
  diagnose,
  failure,
  isExhausted,
  isLost,
  isTurnedAway,
  judge,
  lostShared,
  outOfTime,
} from './ssh/diagnose.ts'
import { multiplexesItself, sshCommand, withOptions } from './ssh/options.ts'
import { type Server, type SshConnection, type SshRemote, toServers } from './ssh/server.ts'
import {
  type Payload,
  runSession,
  type SessionOrder,
  type SessionResult,
  type StandingShell,
} from './ssh/session.ts'
import { Link } from './ssh/shared-connection.ts'

export interface FleetOptions {
  /** Servers that are asked only by name: where tracker or seeder are, if not on those of the run. */
  besides?: readonly SshConnection[]
  /** Most commands that are being started at a time. Once started they don't count. */
  concurrency?: number
  /** Seconds from the start of ssh until the server's shell answers. */
  connectSeconds?: number
  /** Parent of the directory for control sockets. */
  controlDirectory?: string
  /** Most retries when sshd turns a connection away before the login. */
  retries?: number
  random?: () => number
  /** A command on one server has ended, or is tried again. Seconds since it was begun. */
  onCommand?: (server: Server, step: string, seconds: number, outcome: Outcome | 'again') => void
}

/** What to run on one server. `script` is POSIX sh, its values quoted with `quote`. */
export interface Command {
  script: string
  /** The script's standard input. A function is called for every attempt. */
  stdin?: Payload
  /** Gets stdout line by line; stdout in the outcome is then empty. What it throws becomes this server's failure. */
  onLine?: (line: string) => void
}

export interface RunOptions {
  /** Seconds; 0 is no limit. `stallTimeout`: no byte in any direction. `totalTimeout`: from the server's turn. */
  connectTimeout?: number
  stallTimeout?: number
  totalTimeout?: number
  /** Ends all commands; their servers' outcomes are then failures, with the signal's reason if that is a MurderError. */
  signal?: AbortSignal
  /** Only these; all that take part unless told otherwise. */
  servers?: readonly Server[]
  /** The script may run twice: it is run again when the connection broke, or no process could be started, while it ran. */
  repeatable?: boolean
  /** It goes on until its input ends: the connection to its server may be its own, for as long as that. */
  stays?: boolean
  /** As the user who logs in, not as `asUser`. */
  login?: boolean
  /** Most bytes of stdout kept per server; more is a failure. */
  maxOutput?: number
}

export type Outcome =
  | { server: Server; ok: true; stdout: string; stderr: string }
  | { server: Server; ok: false; error: MurderError }

/** Commands on all servers through ssh-pool's connections: one SSH connection per server, a result from each. */
export class Fleet {
  readonly #everyone: readonly Server[]
  /** Not among those that the run is about. */
  readonly besides: readonly Server[]
  #all: readonly Server[]
  #servers: readonly Server[]
  readonly #options: Required<Omit<FleetOptions, 'besides'>>
  readonly #limit: Limit
  readonly #directory: string
  readonly #remotes = new Map<Server, SshRemote>()
  readonly #links = new Map<Server, Link>()
  readonly #shells = new Map<Server, StandingShell>()
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
      this.#remotes.set(server, connection.remote)
      if (!multiplexesItself(connection.remote)) {
        this.#links.set(
          server,
          new Link(server, socket, retries, random, () => onCommand(server, 'connect', 0, 'again')),
        )
      }
      connection.remote = withOptions(connection.remote, connectSeconds, socket)
    }
  }

  /** Those that this run is about: as in the shipitfile, unless it was confined. */
  get all(): readonly Server[] {
    return this.#all
  }

  /** The server at a place in the shipitfile. */
  at(index: number): Server | undefined {
    return this.#everyone[index]
  }

  /** From now on the run is about these alone. */
  confine(servers: readonly Server[]): void {
    this.#all = this.#all.filter((server) => servers.includes(server))
    this.#servers = this.#servers.filter((server) => servers.includes(server))
  }

  /** Those that take part: all, but what was left out. */
  get servers(): readonly Server[] {
    return this.#servers
  }

  /** From now on these servers are asked only by name. */
  leaveOut(servers: readonly Server[]): void {
    this.#servers = this.#servers.filter((server) => !servers.includes(server))
  }

  /**
   * Runs one script per server and returns the outcomes in the order of the servers. A server's failure is its outcome;
   * this rejects only for a mistake in `plan`. `step` names the work in messages.
   */
  async run(step: string, plan: (server: Server) => Command, options: RunOptions = {}): Promise<Outcome[]> {
    const work = (options.servers ?? this.servers).map((server) => ({ server, command: plan(server) }))
    return Promise.all(work.map(({ server, command }) => this.#runOn(server, step, command, options)))
  }

  /** From now on what is repeatable on this server, and needs no input, runs in this shell, for as long as it stays. */
  useShell(server: Server, shell: StandingShell): void {
    this.#shells.set(server, shell)
    void shell.ended.then(() => {
      if (this.#shells.get(server) === shell) this.#shells.delete(server)
    })
  }

  /** Ends all connections, within seconds, and gives the connections their own options back. Harmless when repeated. */
  async close(): Promise<void> {
    this.#closing.abort(new MurderError('CLOSED', 'The connections to the fleet are closed'))
    await Promise.all([...this.#links.values()].map((link) => link.close()))
    for (const [server, remote] of this.#remotes) server.connection.remote = remote
    process.removeListener('exit', this.#removeDirectory)
    this.#removeDirectory()
  }

  readonly #removeDirectory = () => rmSync(this.#directory, { recursive: true, force: true })

  async #runOn(server: Server, step: string, command: Command, options: RunOptions): Promise<Outcome> {
    const signal = AbortSignal.any([this.#closing.signal, ...(options.signal ? [options.signal] : [])])
    const turn: Turn = { server, step, command, options, signal, release: () => {} }
    const begun = performance.now()
    try {
      turn.release = await this.#limit.acquire(signal)
      const outcome = await this.#attempt(turn)
      this.#options.onCommand(server, step, (performance.now() - begun) / 1000, outcome)
      return outcome
    } catch (error) {
      if (!signal.aborted) throw error
      return { server, ok: false, error: abortError(signal, server.label, step) }
    } finally {
      turn.release()
    }
  }

  /** Connects and runs the command; again if its connection broke, or sshd turned it away, before it could start. */
  async #attempt(turn: Turn): Promise<Outcome> {
    const { server, step, options, signal } = turn
    const inShell = await this.#inShell(turn)
    if (inShell) return outcomeOf(inShell, turn)
    for (let retry = 1; ; retry++) {
      const carried = options.stays ? this.#carry(turn) : undefined
      const unreachable = carried ? undefined : await this.#connect(turn)
      if (unreachable) return { server, ok: false, error: unreachable }
      const result = await (carried ?? runSession(this.#order(turn)))
      const again = worthRetry(result, options.repeatable ?? false)
      if (again && retry <= this.#options.retries) {
        this.#options.onCommand(server, step, 0, 'again')
        await pause(backoff(retry, this.#options.random), signal)
        continue
      }
      return outcomeOf(result, turn)
    }
  }

  /** What a standing shell made of the command; undefined when it takes a session of its own. */
  async #inShell({ server, command, options, signal, release }: Turn): Promise<SessionResult | undefined> {
    const { repeatable = false, login = false, totalTimeout = 0, maxOutput = MOST_OUTPUT } = options
    const shell = this.#shells.get(server)
    if (!shell || !repeatable || login || command.stdin !== undefined) return undefined
    release()
    const { script, onLine } = command
    const result = await shell.run({ script, onLine, totalTimeout, maxOutput, signal })
    return result && worthRetry(result, true) ? undefined : result
  }

  /** Over a connection of its own, which the others on this server share. */
  #carry(turn: Turn): Promise<SessionResult> | undefined {
    return this.#links.get(turn.server)?.carry((how) => {
      const order = this.#order(turn, { ControlMaster: 'yes' })
      const onStart = () => {
        order.onStart?.()
        how.onStart()
      }
      return runSession({ ...order, onStart, signal: AbortSignal.any([turn.signal, how.signal]) })
    })
  }

  #order(
    { server, command, options, signal, release }: Turn,
    forced: { ControlMaster?: string } = {},
  ): SessionOrder {
    const { login = false } = options
    const asUser = !login && Boolean(server.connection.options.asUser)
    return {
      ...command,
      commandLine: sshCommand(server, remoteCommand(asUser), { login, ...forced }),
      onStart: release,
      limits: {
        connect: options.connectTimeout ?? this.#options.connectSeconds,
        stall: options.stallTimeout ?? 0,
        total: options.totalTimeout ?? 0,
      },
      maxOutput: options.maxOutput ?? MOST_OUTPUT,
      signal,
    }
  }

  /** Makes sure that the server's connection is up; returns why it is not. */
  async #connect({ server, step, options, signal }: Turn): Promise<MurderError | undefined> {
    const seconds = options.connectTimeout ?? this.#options.connectSeconds
    const result = await this.#links.get(server)?.connect(seconds, signal)
    if (!result || result.up) return undefined
    if (result.timedOut) return outOfTime('connect', seconds, server.label, step)
    if (result.error) return failure(result.error, server.label, step)
    return diagnose({ ...result, started: false, server: server.label, step })
  }
}

const MOST_OUTPUT = 4 << 20

function outcomeOf(result: SessionResult, { server, step, signal }: Turn): Outcome {
  const error = judge(result, server.label, step, signal)
  if (error) return { server, ok: false, error }
  return { server, ok: true, stdout: result.stdout, stderr: result.stderr }
}

/** Whether a command that ended so is run again. */
function worthRetry(result: SessionResult, repeatable: boolean): boolean {
  const { stop, started, exitCode } = result
  if (stop)
    return stop.why === 'error' && stop.error instanceof Error && isExhausted({ stderr: stop.error.message })
  if (lostShared(result) || isTurnedAway(result)) return true
  if (started && (!repeatable || exitCode === 0)) return false
  return isExhausted(result) || (repeatable && isLost(result))
}

/** One command on one server. */
interface Turn {
  server: Server
  step: string
  command: Command
  options: RunOptions
  signal: AbortSignal
  /** Gives the place among those that are starting to the next. */
  release: () => void
}
