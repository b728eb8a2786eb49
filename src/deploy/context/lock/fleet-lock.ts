import { setMaxListeners } from 'node:events'
import type { Outcome } from '../../../fleet/command.ts'
import type { Fleet } from '../../../fleet/fleet.ts'
import { PersistentShell } from '../../../fleet/persistent-shell.ts'
import type { Server } from '../../../fleet/ssh/server.ts'
import { pause } from '../../../system/backoff.ts'
import { fenceScript, outsiderFenceScript } from '../../scripts/fence-script.ts'
import { parseUnconfirmed, type Unconfirmed } from '../../scripts/guard/tell-guard-script.ts'
import { libraryAt } from '../../scripts/library.ts'
import {
  holdLockScript,
  type KnownLinks,
  type LockOwner,
  parseDrained,
  parseLink,
  parseLock,
  removeLockScript,
} from '../../scripts/lock-script.ts'
import { SCRIPT_TIMEOUT_S } from '../../timeouts.ts'
import { isLeft, lockedError, named, type Refusal, refusals } from './found-locks.ts'
import { newOwner } from './lock-owner.ts'

/** How often to ask for a lock: another deploy may be about to end, or be refused itself. */
const MAX_ATTEMPTS = 6
const RETRY_PAUSE_S = 0.4
const RELEASE_TIMEOUT_S = 5
/** Pause between two attempts to take back a lost lock. */
const RENEW_PAUSE_S = 1
/** A shell that lived shorter than this is not restarted at once. */
const SHORT_LIFE_MS = 1000

/** The scripts that a server runs before and after its lock is taken. */
export interface Scripts {
  before: (server: Server) => string
  after?: (server: Server) => string
}

interface Taking extends Partial<Scripts> {
  /** Ids of locks that were left behind. */
  ended?: readonly string[]
  /** Only where nobody else has published since it was first taken. */
  again?: boolean
}

interface Place {
  at: (server: Server) => { remotePath: string; deployTo: string }
  /** The name of the environment, for the command that breaks a lock. */
  environment: string
}

export interface LockEvents {
  /** Another deploy has published on a server since its lock was lost. */
  lost: (server: Server) => void
  /** A deploy that was killed has left the server out of service. */
  drained: (server: Server, about: string) => void
  /** Servers whose live release was not confirmed by the deploy that published it. Called once, when all are locked. */
  unconfirmed: (found: ReadonlyMap<Server, Unconfirmed>) => void
}

/**
 * The lock that a deploy holds on every server of its fleet. On each it is bound to a command over SSH that ends with this
 * process. Where the connection breaks it is taken again.
 */
export class FleetLock {
  readonly #fleet: Fleet
  readonly #place: Place
  readonly #owner: LockOwner
  readonly #tell: LockEvents
  readonly #holds = new Map<Server, PersistentShell>()
  /** The target of `current` on each server when it was locked. */
  readonly #links = new Map<Server, string>()
  /** Its target where this run has published. */
  #ownLink: string | undefined
  readonly #unconfirmed = new Map<Server, Unconfirmed>()
  readonly #released = new AbortController()

  constructor(fleet: Fleet, place: Place, what: string, tell: LockEvents) {
    this.#fleet = fleet
    this.#place = place
    this.#tell = tell
    this.#owner = newOwner('deploy', what)
    setMaxListeners(0, this.#released.signal) // one for each server, when all connections break
  }

  /** Servers that a killed deploy has left out of service, with the note on each. */
  readonly drained = new Map<Server, string>()

  /** What tells this run's locks from all others. */
  get id(): string {
    return this.#owner.id
  }

  /** Whether any server is locked by this run. */
  get isHeld(): boolean {
    return this.#holds.size > 0
  }

  /** What `current` was on a server when this run locked it; an empty text where there was none. */
  linkOf(server: Server): string | undefined {
    return this.#links.get(server)
  }

  /**
   * Called before this run publishes a release, so that a later `current` pointing to it does not count as another deploy's
   * change.
   */
  publishes(release: string): void {
    this.#ownLink = `releases/${release}`
  }

  /** Defines the shell functions `fence` and `fence_back`, which a script asks before it changes what a lock protects. */
  fence(server: Server): string {
    if (!this.isHeld) return outsiderFenceScript(this.#place.at(server).remotePath)
    return fenceScript(this.#place.at(server).remotePath, this.#owner, this.#known(server))
  }

  /**
   * Runs `before` on all servers that take part, takes the lock in the same command, and then runs `after`. When two deploys
   * begin together the older one wins. The other lets go and asks again later, because the first answers may be out of date by
   * then. Throws LOCKED.
   */
  async ask(scripts: Scripts, signal: AbortSignal): Promise<Outcome[]> {
    const outcomes = new Map<Server, Outcome>()
    const take = async (servers: readonly Server[], how: Taking): Promise<Refusal[]> => {
      const free = servers.filter((server) => !this.#holds.has(server))
      const taken = await Promise.all(free.map((server) => this.#take(server, how, signal)))
      signal.throwIfAborted()
      for (const outcome of taken) outcomes.set(outcome.server, outcome)
      return refusals(taken)
    }
    // Where the lock was refused, its directory already exists. The questions follow once the lock is taken.
    const anew = {
      after: (server: Server) => `${scripts.before(server)}\n${scripts.after?.(server) ?? ''}`,
    }
    let refused = await take(this.#fleet.servers, scripts)
    for (let look = 0; refused.length > 0; look++) {
      const ended = new Set(refused.filter(({ lock }) => isLeft(lock)).map(({ lock }) => lock.id))
      const running = refused.filter(({ lock }) => !ended.has(lock.id))
      const hopeless = refused.some(({ lock }) => lock.kind === 'manual') || look === MAX_ATTEMPTS
      if (hopeless || running.some(({ lock }) => lock.id < this.#owner.id)) await this.#letGo()
      if (hopeless) throw lockedError(refused.map(named), this.#place.environment)
      if (running.length > 0) await pause(RETRY_PAUSE_S, signal)
      refused = await take(
        refused.map(({ server }) => server),
        { ...anew, ended: [...ended] },
      )
      // Then the servers that were let go. Before this they must not block the older deploy.
      if (refused.length === 0)
        refused = await take(
          [...outcomes.values()].flatMap(({ ok, server }) => (ok ? [server] : [])),
          anew,
        )
    }
    if (this.#unconfirmed.size > 0) this.#tell.unconfirmed(this.#unconfirmed)
    return [...outcomes.values()]
  }

  /** Removes the lock. Its shells stay: commands may run over their connections. */
  async release(): Promise<void> {
    this.#released.abort()
    // Where a shell is busy or gone, its end removes the lock.
    const run = ([server, hold]: [Server, PersistentShell]) => {
      const script = removeLockScript(this.#place.at(server).remotePath, this.#owner)
      const onLine = () => {}
      const { signal } = new AbortController() // one each: Node warns of many listeners
      return hold.run({ script, totalTimeoutS: RELEASE_TIMEOUT_S, maxOutputBytes: 0, onLine, signal })
    }
    await Promise.all([...this.#holds].map(run))
  }

  async close(): Promise<void> {
    this.#released.abort()
    await this.#letGo()
  }

  async #letGo(): Promise<void> {
    const holds = [...this.#holds.values()]
    this.#holds.clear()
    await Promise.all(holds.map((hold) => hold.close()))
  }

  #known(server: Server): KnownLinks {
    const links = [this.#links.get(server), this.#ownLink].filter((link) => link !== undefined)
    return { deployTo: this.#place.at(server).deployTo, links }
  }

  async #take(
    server: Server,
    { before, after, ended = [], again = false }: Taking,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const how = { after: after?.(server) ?? '', ended, again, known: this.#known(server) }
    const { remotePath } = this.#place.at(server)
    const script = `${before?.(server) ?? ''}\n${holdLockScript(remotePath, this.#owner, how)}`
    const hold = new PersistentShell(this.#fleet, server, {
      step: 'check',
      script,
      answerTimeout: SCRIPT_TIMEOUT_S,
      signal,
      library: libraryAt(remotePath),
    })
    const outcome = await hold.said
    if (!outcome.ok || parseLock(outcome.stdout) !== 'taken') return outcome
    if (!again) {
      this.#links.set(server, parseLink(outcome.stdout))
      const unconfirmed = parseUnconfirmed(outcome.stdout)
      if (unconfirmed !== undefined) this.#unconfirmed.set(server, unconfirmed)
      const drained = parseDrained(outcome.stdout)
      if (drained !== undefined && !this.drained.has(server)) {
        this.drained.set(server, drained)
        this.#tell.drained(server, drained)
      }
    }
    this.#holds.set(server, hold)
    this.#fleet.useShell(server, hold)
    const since = performance.now()
    void hold.ended.then(() => this.#renew(server, hold, performance.now() - since))
    return outcome
  }

  /**
   * Called when the connection broke, or sshd closed the channel, and the lock went with it. While another run has the lock this
   * goes on trying: that run may be refused on another server and end. If it publishes, the fence keeps this run from publishing.
   */
  async #renew(server: Server, hold: PersistentShell, livedMs: number): Promise<void> {
    const { signal } = this.#released
    const isWanted = () =>
      this.#holds.get(server) === hold && !signal.aborted && this.#fleet.servers.includes(server)
    try {
      if (livedMs < SHORT_LIFE_MS) await pause(RENEW_PAUSE_S, signal)
      while (isWanted()) {
        const outcome = await this.#take(server, { again: true }, signal)
        const lock = outcome.ok ? parseLock(outcome.stdout) : 'unknown'
        if (lock === 'taken') return
        if (lock === undefined) return this.#tell.lost(server)
        await pause(RENEW_PAUSE_S, signal)
      }
    } catch {
      // It was released.
    }
  }
}
