import type { MurderError } from '../errors.ts'
import { backoff, pause } from '../system/backoff.ts'
import type { Command, Outcome, RunOptions } from './command.ts'
import { remoteCommand } from './ssh/bootstrap.ts'
import { Explanation } from './ssh/connection/explanation.ts'
import { isCommandRetried } from './ssh/connection/retry.ts'
import { routeTo } from './ssh/connection/route.ts'
import type { SharedConnection } from './ssh/connection/shared-connection.ts'
import { diagnose, failure, judge, outOfTime } from './ssh/messages/diagnose.ts'
import { type ForcedOptions, sshCommand } from './ssh/options.ts'
import type { Server } from './ssh/server.ts'
import { type RunningShell, runSession, type SessionOrder, type SessionResult } from './ssh/session.ts'

const MAX_OUTPUT_BYTES = 4 << 20

/** One command on one server. */
export interface Turn {
  server: Server
  step: string
  command: Command
  options: RunOptions
  signal: AbortSignal
  /** Lets the next command start. */
  release: () => void
}

/** What it travels over, and how often it is tried. */
export interface Transport {
  /** The connection that all commands on the server share; undefined where OpenSSH's own settings already share one. */
  connection: SharedConnection | undefined
  /** The shell that is already there. */
  shell: RunningShell | undefined
  connectSeconds: number
  retries: number
  random: () => number
  onRetry: () => void
}

/** Connects and runs a command. Tries again if the connection broke or sshd rejected it before the command could start. */
export class CommandRun {
  readonly #turn: Turn
  readonly #transport: Transport

  constructor(turn: Turn, transport: Transport) {
    this.#turn = turn
    this.#transport = transport
  }

  async outcome(): Promise<Outcome> {
    const { server, options, signal } = this.#turn
    const inShell = await this.#inShell()
    if (inShell) return this.#outcomeOf(inShell)
    const explanation = new Explanation(server, this.#connectSeconds)
    for (let retry = 1; ; retry++) {
      const asMaster = options.stays ? this.#runAsMaster() : undefined
      const unreachable = asMaster || options.isNew ? undefined : await this.#connect()
      if (unreachable) return { server, ok: false, error: unreachable }
      const ended = await (asMaster ?? runSession(this.#order()))
      const result = ended.stop ? ended : await explanation.of(ended, signal)
      const again = isCommandRetried(result, options.repeatable ?? false)
      if (again && retry <= this.#transport.retries) {
        this.#transport.onRetry()
        await pause(backoff(retry, this.#transport.random), signal)
        continue
      }
      return this.#outcomeOf(result)
    }
  }

  get #connectSeconds(): number {
    return this.#turn.options.connectTimeoutS ?? this.#transport.connectSeconds
  }

  /** The result from the persistent shell; undefined when the command needs a session of its own. */
  async #inShell(): Promise<SessionResult | undefined> {
    const { command, options, signal, release } = this.#turn
    const {
      repeatable = false,
      login = false,
      isNew = false,
      totalTimeoutS = 0,
      maxOutputBytes = MAX_OUTPUT_BYTES,
    } = options
    const { shell } = this.#transport
    if (!shell || !repeatable || login || isNew || command.stdin !== undefined) return undefined
    release()
    const { script, onLine } = command
    const result = await shell.run({ script, onLine, totalTimeoutS, maxOutputBytes, signal })
    return result && isCommandRetried(result, true) ? undefined : result
  }

  /** Runs the command over a connection of its own, which all other commands on this server then share. */
  #runAsMaster(): Promise<SessionResult> | undefined {
    return this.#transport.connection?.runAsMaster((how) => {
      const order = this.#order({ ControlMaster: 'yes' })
      const onStart = () => {
        order.onStart?.()
        how.onStart()
      }
      return runSession({ ...order, onStart, signal: AbortSignal.any([this.#turn.signal, how.signal]) })
    })
  }

  #order(forced?: ForcedOptions): SessionOrder {
    const { server, command, options, signal, release } = this.#turn
    const { login = false, isNew = false } = options
    const asUser = !login && Boolean(server.connection.options.asUser)
    const ownConnection: ForcedOptions = isNew ? { ControlMaster: 'no', ControlPath: 'none' } : {}
    return {
      ...command,
      commandLine: sshCommand(server, remoteCommand(asUser), { login, ...(forced ?? ownConnection) }),
      onStart: release,
      limits: {
        connect: this.#connectSeconds,
        stall: options.stallTimeoutS ?? 0,
        total: options.totalTimeoutS ?? 0,
      },
      route: () => routeTo(server),
      maxOutputBytes: options.maxOutputBytes ?? MAX_OUTPUT_BYTES,
      signal,
    }
  }

  /** Makes sure that the server's connection is up; returns why it is not. */
  async #connect(): Promise<MurderError | undefined> {
    const { server, step, signal } = this.#turn
    const seconds = this.#connectSeconds
    const result = await this.#transport.connection?.connect(seconds, signal)
    if (!result || result.up) return undefined
    if (result.timedOut) return outOfTime('connect', seconds, server.label, step, result.timedOut)
    if (result.error) return failure(result.error, server.label, step)
    return diagnose({ ...result, started: false, server: server.label, byHand: server.byHand, step })
  }

  #outcomeOf(result: SessionResult): Outcome {
    const { server, step, signal } = this.#turn
    const error = judge(result, server, step, signal)
    if (error) return { server, ok: false, error }
    return { server, ok: true, stdout: result.stdout, stderr: result.stderr }
  }
}
