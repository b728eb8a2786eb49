import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { backoff, pause } from '../../system/backoff.ts'
import { isExhausted, isTurnedAway } from './diagnose.ts'
import { Master, type MasterResult } from './master.ts'
import type { Server } from './server.ts'
import type { SessionResult } from './session.ts'

interface Attempt {
  result: Promise<MasterResult>
  /** How many wait for it. When none is left, nobody needs it. */
  waiting: number
  stop: AbortController
}

/** The shared connection to one server: made when first asked for, made again when it is gone. */
export class Link {
  readonly #server: Server
  readonly #socket: string
  readonly #retries: number
  readonly #random: () => number
  readonly #onRetry: () => void
  #master: Master | undefined
  #carrier: Carrier | undefined
  #attempt: Attempt | undefined

  constructor(server: Server, socket: string, retries: number, random: () => number, onRetry = () => {}) {
    this.#server = server
    this.#socket = socket
    this.#retries = retries
    this.#random = random
    this.#onRetry = onRetry
  }

  /**
   * Resolves when the connection is up, or with why it is not. All who ask at the same time share one attempt, which
   * ends when the last of them gives up. Rejects with the signal's reason on abort.
   */
  async connect(seconds: number, signal: AbortSignal): Promise<MasterResult> {
    if (this.#carrier) await unlessAborted(this.#carrier.settled, signal)
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
   * Runs a command that stays, and shares its connection with all others while it does. Undefined when there is a connection
   * already, or one is being made.
   */
  carry(run: Carry): Promise<SessionResult> | undefined {
    if (this.#attempt || this.#isUp) return undefined
    this.#clear()
    this.#carrier = new Carrier(run)
    return this.#carrier.ended
  }

  /** Ends the connection and with it all its sessions. */
  async close(): Promise<void> {
    this.#attempt?.stop.abort()
    await this.#attempt?.result
    await Promise.all([this.#master?.close(), this.#carrier?.close()])
  }

  get #isUp(): boolean {
    return !this.#attempt && (this.#master?.gone === false || this.#carrier?.gone === false)
  }

  /** What a killed master has left would keep the new one from listening. */
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

  /** Again after a pause while sshd turns us away: it does when too many come at once (MaxStartups). */
  async #try(seconds: number, stop: AbortSignal): Promise<MasterResult> {
    for (let retry = 1; ; retry++) {
      this.#clear()
      const master = new Master(this.#server, this.#socket, seconds)
      this.#master = master
      const kill = () => void master.kill()
      stop.addEventListener('abort', kill, { once: true })
      const result = await master.up
      stop.removeEventListener('abort', kill)
      const again = !result.up && !result.timedOut && worthRetry(result)
      if (!again || retry > this.#retries) return result
      this.#onRetry()
      try {
        await pause(backoff(retry, this.#random), stop)
      } catch {
        return result // Nobody waits for it any more.
      }
    }
  }
}

/** What `work` gives; rejects with the signal's reason when that aborts first. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const settled = new AbortController()
  const aborted = once(signal, 'abort', { signal: settled.signal }).then(() => Promise.reject(signal.reason))
  aborted.catch(() => {}) // Whoever wins the race, the other must not become an unhandled rejection.
  try {
    return await Promise.race([work, aborted])
  } finally {
    settled.abort()
  }
}

/** Sshd turned us away, or no process could be started: here (then there is an error instead of a message) or there. */
function worthRetry(result: MasterResult & { up: false }): boolean {
  const stderr = `${result.stderr}\n${result.error?.message ?? ''}`
  return isTurnedAway({ stderr, started: false }) || isExhausted({ stderr })
}

/** How a command is run whose connection others share: it tells when it has started, and ends when `signal` aborts. */
export type Carry = (how: { onStart: () => void; signal: AbortSignal }) => Promise<SessionResult>

/** A command that stays, in whose own connection the others of its server run: one session less for each server. */
export class Carrier {
  readonly ended: Promise<SessionResult>
  /** Settles when the connection can be shared, or will never be. */
  readonly settled: Promise<void>
  readonly #stop = new AbortController()
  #gone = false

  constructor(run: Carry) {
    let onStart = () => {}
    const started = new Promise<void>((resolve) => {
      onStart = resolve
    })
    this.ended = run({ onStart, signal: this.#stop.signal }).finally(() => {
      this.#gone = true
    })
    this.settled = Promise.race([started, this.ended.then(() => {})])
  }

  get gone(): boolean {
    return this.#gone
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.ended
  }
}
