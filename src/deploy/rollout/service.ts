import type { Settings } from '../../config/schema.ts'
import type { MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { runHere } from '../commands/run-here.ts'
import { author } from '../context/author.ts'
import type { TaskContext } from '../context/context.ts'
import { failuresOf } from '../outcome/fleet-error.ts'
import { placesOf } from '../paths/places.ts'
import { drainScript, undrainScript } from '../scripts/drained-script.ts'
import { SCRIPT_TIMEOUT_S } from '../timeouts.ts'
import type { Group } from './groups.ts'
import { concernedBy, runHook } from './hooks.ts'

/** What went wrong: on servers, or with a command on the deploy host. */
export interface StepFailures {
  failures: Failure[]
  stopped?: MurderError | undefined
}

/** Whether commands on the deploy host take servers out of service, or put them back. */
export const hasLocalHooks = ({ local }: Settings['rollout']): boolean =>
  local.beforeGroup !== undefined || local.afterGroup !== undefined

/**
 * Takes servers out of service and puts them back: `before` and `after` on each of them, `beforeGroup` and `afterGroup` on the
 * deploy host. It knows which servers are out, so that none stays out.
 */
export class Service {
  readonly #context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>
  readonly #release: string
  /** Servers on which `before` has begun and `after` has not ended well. */
  readonly #out = new Set<Server>()
  /** Groups for which `beforeGroup` has begun and `afterGroup` has not. */
  readonly #groupsOut = new Set<Group<Server>>()

  /** Servers that an earlier run has left out, as far as notes tell: some of it may be back in service. */
  readonly #leftOut: Set<Server>

  constructor(
    context: Pick<TaskContext, 'fleet' | 'settings' | 'shipit'>,
    release: string,
    leftOut: Iterable<Server> = [],
  ) {
    this.#context = context
    this.#release = release
    this.#leftOut = new Set(leftOut)
    this.#out = new Set(this.#leftOut)
  }

  /** Whether anything is done before and after a change. */
  get hasHooks(): boolean {
    const { before, after } = this.#context.settings.rollout
    return this.#hasLocal || before !== undefined || after !== undefined
  }

  get #hasLocal(): boolean {
    return hasLocalHooks(this.#context.settings.rollout)
  }

  /** Whether `beforeGroup` has begun for this group and `afterGroup` has not. */
  isOut(group: Group<Server>): boolean {
    return this.#groupsOut.has(group)
  }

  /** Takes out those servers that are not out yet. Without a `group` nothing runs on the deploy host. `signal` may end it. */
  async takeOut(
    group: Group<Server> | undefined,
    servers: readonly Server[],
    signal?: AbortSignal,
  ): Promise<StepFailures> {
    const { settings } = this.#context
    const { before, after } = settings.rollout
    const { who, when } = author()
    const about = `${who} since ${when}, for release ${this.#release}`
    if (group && !this.#groupsOut.has(group)) {
      if (this.#hasLocal) {
        this.#groupsOut.add(group)
        const failures = await this.#note(servers, (remotePath) => drainScript(remotePath, about, ':'))
        if (failures.length > 0) return { failures }
      }
      const stopped = await this.#here('beforeGroup', group, signal)
      if (stopped) return { failures: [], stopped }
    }
    const inService = servers.filter((server) => this.#leftOut.delete(server) || !this.#out.has(server))
    for (const hook of [before, after])
      for (const server of concernedBy(hook, inService)) this.#out.add(server)
    const failures = await runHook(
      this.#context,
      {
        step: 'before',
        commands: before,
        release: this.#release,
        timeoutS: settings.timeouts.hook,
        inCurrent: false,
        ...(signal ? { signal } : {}),
        with: (script, remotePath) => drainScript(remotePath, about, script),
      },
      inService,
    )
    return { failures }
  }

  /** Runs to its end, also after Ctrl-C. */
  async putBack(group: Group<Server> | undefined, servers: readonly Server[]): Promise<StepFailures> {
    const out = servers.filter((server) => this.#out.has(server))
    const isOut = group !== undefined && this.#groupsOut.delete(group)
    const failures = await this.#after(out, { keepsNote: isOut })
    const stopped = isOut ? await this.#here('afterGroup', group) : undefined
    if (this.#hasLocal && !stopped)
      failures.push(...(await this.#forget(servers.filter((server) => !this.#out.has(server)))))
    return { failures, stopped }
  }

  /** Puts back all servers that are out. Returns the labels of those that stay out. */
  async putAllBack(): Promise<string[]> {
    const { shipit } = this.#context
    for (const { server, cause } of await this.#after([...this.#out]))
      shipit.log(`${server}: after failed: ${cause}`)
    for (const group of this.#groupsOut) {
      const failed = await this.#here('afterGroup', group)
      if (failed) shipit.log(failed.message)
      else await this.#forget(group.servers.filter((server) => !this.#out.has(server)))
    }
    this.#groupsOut.clear()
    return [...this.#out].map(({ label }) => label)
  }

  /** `keepsNote`: until `afterGroup` has ended, too. */
  async #after(servers: readonly Server[], { keepsNote = false } = {}): Promise<Failure[]> {
    const { settings } = this.#context
    const { after } = settings.rollout
    const failures = await runHook(
      this.#context,
      {
        step: 'after',
        commands: after,
        release: this.#release,
        timeoutS: settings.timeouts.hook,
        inCurrent: false,
        ...(keepsNote ? {} : { with: (script, remotePath) => undrainScript(remotePath, script) }),
      },
      servers,
    )
    if (!keepsNote) {
      const others = servers.filter((server) => concernedBy(after, [server]).length === 0)
      failures.push(...(await this.#forget(others)))
    }
    const failed = new Set(failures.map(({ server }) => server))
    for (const server of servers) if (!failed.has(server.label)) this.#out.delete(server)
    return failures
  }

  /** Removes the notes of servers where nothing else does. */
  #forget(servers: readonly Server[]): Promise<Failure[]> {
    return this.#note(servers, (remotePath) => undrainScript(remotePath, ':'))
  }

  async #note(servers: readonly Server[], scriptOf: (remotePath: string) => string): Promise<Failure[]> {
    const { fleet } = this.#context
    const script = (server: Server) => scriptOf(placesOf(this.#context, server).remotePath)
    const options = { servers, totalTimeoutS: SCRIPT_TIMEOUT_S, repeatable: true }
    return failuresOf(await fleet.run('note', (server) => ({ script: script(server) }), options), 'note')
  }

  #here(
    name: 'beforeGroup' | 'afterGroup',
    { servers }: Group<Server>,
    signal?: AbortSignal,
  ): Promise<MurderError | undefined> {
    const command = this.#context.settings.rollout.local[name]
    return command === undefined
      ? Promise.resolve(undefined)
      : runForGroup(this.#context, name, command, servers, this.#release, signal)
  }
}

/** Runs a command of `rollout.local`. */
export function runForGroup(
  { settings, shipit }: Pick<TaskContext, 'settings' | 'shipit'>,
  name: string,
  command: string,
  servers: readonly Server[],
  release: string,
  signal?: AbortSignal,
): Promise<MurderError | undefined> {
  return runHere({
    name: `murder.rollout.local.${name}`,
    command,
    timeoutS: settings.timeouts.hook,
    signal,
    env: {
      MURDER_ENVIRONMENT: shipit.environment,
      MURDER_RELEASE: release,
      MURDER_HOSTS: servers.map(({ host }) => host).join(' '),
      MURDER_LABELS: servers.map(({ label }) => label).join(' '),
    },
  })
}
