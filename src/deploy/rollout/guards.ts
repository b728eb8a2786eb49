import { interrupted, type MurderError } from '../../errors.ts'
import type { Outcome } from '../../fleet/command.ts'
import { Limit } from '../../fleet/limit.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { pause } from '../../system/backoff.ts'
import { defined } from '../../system/defined.ts'
import { duration } from '../../text/format.ts'
import { author } from '../context/author.ts'
import type { Context } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { count, say } from '../outcome/say.ts'
import { placesOf } from '../paths/places.ts'
import {
  armScript,
  confirmScript,
  dueScript,
  guardAnswer,
  releaseScript,
  standDownScript,
  supersedeScript,
} from '../scripts/guard/guard-orders.ts'
import type { Guarding } from '../scripts/releases/publish-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import { guardOf } from './guard-of.ts'
import type { StepFailures } from './service.ts'

/** Between two attempts to make a new connection, or to reach a server that is going back. */
const RETRY_PAUSE_S = 1

/**
 * The guards of a rollout, one on each server whose link changes. A guard goes back by itself unless the server is confirmed over
 * a new connection. Until the rest of the group is done, it also goes back when signs of life stop.
 */
export class Guards {
  readonly #context: Context
  readonly #release: string
  /** Servers with a guard that has not been taken away. */
  readonly #armed = new Set<Server>()
  /** Servers whose guard has gone back. */
  readonly #back = new Set<Server>()
  /** Servers that no new connection has reached in time. */
  readonly #unreached = new Set<Server>()

  constructor(context: Context, release: string) {
    this.#context = context
    this.#release = release
  }

  get #seconds(): number {
    return this.#context.settings.rollout.confirm
  }

  /** What publishing and going back run on a server. */
  scripts(server: Server): Guarding {
    const { remotePath } = placesOf(this.#context, server)
    if (this.#seconds === 0) return { arm: supersedeScript(remotePath) }
    const guard = guardOf(this.#context, server, this.#release)
    const { who, when } = author()
    return {
      arm: armScript(guard, `${who} since ${when}`),
      standDown: standDownScript(remotePath, guard.token, this.goingBackS),
    }
  }

  /** Takes a line of the output of such a script. */
  heard(server: Server, line: string): void {
    const answer = guardAnswer(line)
    if (answer === undefined) return
    if (answer === 'back' && this.#armed.has(server)) {
      this.#back.add(server)
      this.#context.record.wentBack.add(server.label)
    }
    if (answer === 'armed' || answer === 'confirmed') this.#armed.add(server)
    else this.#armed.delete(server)
  }

  /** How long a server may take to go back by itself, once it has begun: three commands of the user's at most. */
  get goingBackS(): number {
    return this.#seconds === 0 ? 0 : 3 * (this.#context.settings.timeouts.hook || 3600) + SCRIPT_TIMEOUT_S
  }

  /** Whether the guard there has gone back already. */
  hasGoneBack(server: Server): boolean {
    return this.#back.has(server)
  }

  /** Whether a guard there goes back when the deploy no longer reaches it. */
  isArmed(server: Server): boolean {
    return this.#armed.has(server)
  }

  /** Whether no new connection has reached it. */
  isUnreached(server: Server): boolean {
    return this.#unreached.has(server)
  }

  /** Confirms servers over new connections. Returns those that could not be reached in time, or have gone back meanwhile. */
  async confirm(servers: readonly Server[]): Promise<StepFailures> {
    if (this.#seconds === 0) return { failures: [] }
    const { settings, signal, record } = this.#context
    // A server's time begins when its turn has come.
    const limit = new Limit(settings.concurrency)
    const one = async (server: Server): Promise<Failure[]> => {
      const done = await limit.acquire(signal)
      try {
        return await this.#confirmOne(server)
      } finally {
        done()
      }
    }
    try {
      const failures = (await Promise.all(servers.map(one))).flat()
      const failed = new Set(failures.map(({ server }) => server))
      const confirmed = servers.map(({ label }) => label).filter((label) => !failed.has(label))
      for (const label of confirmed) record.confirmed(label)
      if (confirmed.length > 0) {
        const text = `Confirmed ${count(confirmed.length, 'server')} over new connections`
        say(this.#context, text, 'confirmed', { servers: confirmed })
      }
      return { failures }
    } catch (error) {
      if (!signal.aborted) throw error
      return { failures: [], stopped: interrupted('') }
    }
  }

  async #confirmOne(server: Server): Promise<Failure[]> {
    const { signal } = this.#context
    const { remotePath, token } = this.#at(server)
    const isGuarded = this.isArmed(server)
    const end = performance.now() + this.#seconds * 1000
    if (isGuarded) await this.#order(server, dueScript(remotePath, token), {})
    const script = isGuarded ? confirmScript(remotePath, token) : 'true'
    let error: MurderError | undefined
    while (!this.hasGoneBack(server)) {
      const left = AbortSignal.timeout(Math.max(1000, Math.ceil(end - performance.now())))
      const outcome = await this.#order(server, script, {
        isNew: true,
        signal: AbortSignal.any([signal, left]),
      })
      signal.throwIfAborted()
      if (outcome.ok && !this.hasGoneBack(server)) return []
      if (!outcome.ok && !left.aborted) error = outcome.error
      if (performance.now() >= end) break
      await pause(RETRY_PAUSE_S, signal)
    }
    const { label } = server
    if (this.hasGoneBack(server)) return [{ server: label, step: 'confirm', cause: WENT_BACK }]
    this.#unreached.add(server)
    const causes = error
      ? failuresOf([{ server, ok: false, error }], 'confirm').map(({ cause }) => cause)
      : []
    const cause = [`no new SSH connection in ${duration(this.#seconds)}`, ...causes].join(': ')
    return [{ server: label, step: 'confirm', cause, cure: CURE }]
  }

  /** Takes the guards away: the group is done, or what it has stays in any case. Gives where that was too late. */
  async release(servers: readonly Server[]): Promise<Failure[]> {
    const guarded = servers.filter((server) => this.isArmed(server))
    if (guarded.length === 0) return []
    const outcomes = await Promise.all(
      guarded.map((server) => {
        const { remotePath, token } = this.#at(server)
        return this.#order(server, releaseScript(remotePath, token), {})
      }),
    )
    const back = guarded.filter((server) => this.hasGoneBack(server))
    return [
      ...failuresOf(outcomes, 'confirm'),
      ...back.map(({ label }) => ({ server: label, step: 'confirm', cause: WENT_BACK })),
    ]
  }

  #at(server: Server): { remotePath: string; token: string } {
    return { remotePath: placesOf(this.#context, server).remotePath, token: this.#context.lock.id }
  }

  /** `isNew`: over a connection of its own. */
  #order(
    server: Server,
    script: string,
    { isNew = false, signal }: { isNew?: boolean; signal?: AbortSignal },
  ): Promise<Outcome> {
    const onLine = (line: string) => this.heard(server, line)
    return this.#context.fleet.runOn(
      server,
      'confirm',
      { script, onLine },
      { isNew, repeatable: true, totalTimeoutS: SCRIPT_TIMEOUT_S, ...defined({ signal }) },
    )
  }
}

const WENT_BACK = 'it went back by itself, as no sign of life came from this machine'
const CURE =
  'see what the release changes there: a firewall, sshd, the network; or raise murder.rollout.confirm'
