import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { backoff, pause } from '../../../system/backoff.ts'
import type { Server } from '../server.ts'
import type { SessionResult } from '../session.ts'
import { Explanation } from './explanation.ts'
import { Master, type MasterResult } from './master.ts'
import { MasterCommand, type RunMaster } from './master-command.ts'
import { isConnectionRetried } from './retry.ts'

interface Attempt {
  result: Promise<MasterResult>
  /** How many callers wait for it. It ends when none is left. */
  waiting: number
  stop: AbortController
}

/** The connection to one server that its commands share: made when first needed, made again when it is gone. */
export class SharedConnection {
  readonly #server: Server
  readonly #socket: string
  readonly #retries: number
  readonly #random: () => number
  readonly #onRetry: () => void
  #master: Master | undefined
  #masterCommand: MasterCommand | undefined
  #attempt: Attempt | undefined

  constructor(server: Server, socket: string, retries: number, random: () => number, onRetry = () => {}) {
    this.#server = server
    this.#socket = socket
    this.#retries = retries
    this.#random = random
    this.#onRetry = onRetry
  }

  /**
   * Resolves when the connection is up, or with the reason why it is not. Callers at the same time share one attempt, which
   * ends when the last of them gives up. Rejects with the signal's reason on abort.
   */
  async connect(seconds: number, signal: AbortSignal): Promise<MasterResult> {
    if (this.#masterCommand) await unlessAborted(this.#masterCommand.ready, signal)
    signal.throwIfAborted()
    if (this.#isUp) return { up: true }
    const attempt = this.#attempt ?? this.#begin(seconds)
    attempt.waiting++
    try {
      return await unlessAborted(attempt.result, signal)
    } finally {
      if (--attempt.waiting === 0) attempt.stop.abort()
    }
  }

  /**
   * Runs a command over a connection of its own, which all other commands share until it ends. Undefined when there is a
   * connection already, or one is being made.
   */
  runAsMaster(run: RunMaster): Promise<SessionResult> | undefined {
    if (this.#attempt || this.#isUp) return undefined
    this.#clear()
    this.#masterCommand = new MasterCommand(run)
    return this.#masterCommand.ended
  }

  /** Ends the connection and with it all its sessions. */
  async close(): Promise<void> {
    this.#attempt?.stop.abort()
    await this.#attempt?.result
    await Promise.all([this.#master?.close(), this.#masterCommand?.close()])
  }

  get #isUp(): boolean {
    return !this.#attempt && (this.#master?.gone === false || this.#masterCommand?.gone === false)
  }

  /** The socket of a killed master would keep a new one from listening. */
  #clear(): void {
    rmSync(this.#socket, { force: true })
  }

  #begin(seconds: number): Attempt {
    const stop = new AbortController()
    const attempt: Attempt = { result: this.#try(seconds, stop.signal), waiting: 0, stop }
    this.#attempt = attempt
    void attempt.result.finally(() => {
      this.#attempt = undefined
    })
    return attempt
  }

  /** Tries again after a pause while sshd rejects us, as it does when too many connect at once (MaxStartups). */
  async #try(seconds: number, stop: AbortSignal): Promise<MasterResult> {
    const explanation = new Explanation(this.#server, seconds)
    for (let retry = 1; ; retry++) {
      this.#clear()
      const master = new Master(this.#server, this.#socket, seconds)
      this.#master = master
      const kill = () => void master.kill()
      stop.addEventListener('abort', kill, { once: true })
      const up = await master.up
      stop.removeEventListener('abort', kill)
      const result = up.up || up.timedOut ? up : await explanation.of(up, stop)
      if (!isConnectionRetried(result) || retry > this.#retries) return result
      this.#onRetry()
      try {
        await pause(backoff(retry, this.#random), stop)
      } catch {
        return result // The last caller has given up.
      }
    }
  }
}

/** Settles as `work` does; rejects with the signal's reason when that aborts first. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const over = new AbortController()
  const aborted = once(signal, 'abort', { signal: over.signal }).then(() => Promise.reject(signal.reason))
  aborted.catch(() => {}) // When `work` wins the race, this must not become an unhandled rejection.
  try {
    return await Promise.race([work, aborted])
  } finally {
    over.abort()
  }
}
