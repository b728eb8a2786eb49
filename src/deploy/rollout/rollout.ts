import { interrupted, MurderError } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Failure } from '../../report/failures.ts'
import { defined } from '../../system/defined.ts'
import type { Context } from '../context/context.ts'
import { fleetError, tellFailures } from '../outcome/fleet-error.ts'
import { count, say } from '../outcome/say.ts'
import { isTolerated, tolerate } from '../outcome/tolerate.ts'
import { checkReleaseName } from '../releases/choose/check-release-name.ts'
import { type Links, publishOn } from '../releases/publish.ts'
import type { Publication } from '../scripts/releases/publish-script.ts'
import { type Change, goBack, undo } from './go-back.ts'
import type { Group } from './groups.ts'
import { Guards } from './guards.ts'
import { activate, checkHealth } from './hooks.ts'
import { pauseBefore } from './pause.ts'
import { nameGroup, type PlannedGroup, planOf } from './plan.ts'
import { runForGroup, Service, type StepFailures } from './service.ts'
import { forgetRollout, saveRollout } from './state.ts'
import { watch } from './watch.ts'

/**
 * Makes `current` point to the release on every server, group by group, each of which is taken out of service, checked, put back
 * and watched, as far as the settings say so. When too many servers fail, the servers that `revert` names go back, and this
 * throws FLEET_FAILED. Ctrl-C does the same, unless all servers have published: then it comes too late. Throws
 * NOTHING_TO_PUBLISH.
 */
export async function rollOut(context: Context, publication: Publication): Promise<void> {
  checkReleaseName(publication.release)
  context.lock.publishes(publication.release)
  await new Rollout(context, publication).run()
}

class Rollout {
  readonly #context: Context
  readonly #publication: Publication
  readonly #links: Links = new Map()
  readonly #groups: readonly PlannedGroup<Server>[]
  readonly #service: Service
  readonly #guards: Guards
  /** Groups that are done or have begun. */
  readonly #begun: Group<Server>[] = []

  constructor(context: Context, publication: Publication) {
    this.#context = context
    this.#publication = publication
    this.#groups = planOf(context)
    const { fleet, resumed, lock } = context
    const leftOut = fleet.servers.filter((server) => lock.drained.has(server))
    this.#service = new Service(context, publication.release, leftOut)
    this.#guards = new Guards(context, publication.release)
    for (const server of fleet.servers) {
      const link = resumed?.links[server.label]
      if (link !== undefined) this.#links.set(server, link)
    }
    const left = new Set(this.#groups.flatMap(({ servers }) => servers))
    const done = fleet.servers.filter((server) => this.#links.has(server) && !left.has(server))
    if (resumed) this.#begun.push({ servers: done })
  }

  async run(): Promise<void> {
    try {
      for (const [index, group] of this.#groups.entries()) {
        await this.#giveUpWhenAborted(group)
        if (index > 0) await this.#pause(group)
        await this.#publish(group)
      }
      forgetRollout(this.#context.shipit)
    } finally {
      const drained = await this.#service.putAllBack()
      this.#context.record.drained = drained
      const text = `${drained.join(', ')}: still out of service: run murder.rollout.after there`
      if (drained.length > 0) say(this.#context, text, 'drained', { servers: drained })
    }
  }

  async #pause(group: PlannedGroup<Server>): Promise<void> {
    const next = nameGroup(group)
    try {
      if (await pauseBefore(this.#context, next)) return
    } catch (error) {
      if (!this.#context.signal.aborted) throw error
    }
    await this.#giveUpWhenAborted(group)
    await this.#giveUp(group, { failures: [], stopped: stop(`The answer was no before ${next}`) })
  }

  async #publish(group: PlannedGroup<Server>): Promise<void> {
    const { fleet, picture, settings } = this.#context
    const { rollout } = settings
    const begun = performance.now()
    this.#begun.push(group)
    this.#save(group.number - 1)
    this.#tell(group, 'publishing')
    const taking = () => group.servers.filter((server) => fleet.servers.includes(server))
    const step = async (work: (servers: readonly Server[]) => Promise<StepFailures>) => {
      const servers = taking()
      if (servers.length > 0) await this.#judge(group, await work(servers))
    }
    await step((servers) => this.#service.takeOut(group, servers, this.#context.signal))
    await step((servers) => this.#change(servers))
    await step((servers) => this.#guards.confirm(servers))
    for (const { label } of taking()) picture.enter(label, 'live')
    this.#save(group.number - 1)
    await step((servers) => this.#service.putBack(group, servers))
    await step((servers) => this.#look(servers, { isFirst: true }))
    if (rollout.watch > 0)
      await this.#watch(group, taking().length, async () => {
        await step((servers) => this.#look(servers))
        return taking().length > 0
      })
    await step(async (servers) => ({ failures: await this.#guards.release(servers) }))
    this.#tell(group, 'live', (performance.now() - begun) / 1000)
    this.#save(group.number)
  }

  /**
   * Changes the symlink, then restarts the application, then checks its health: each only where the step before has succeeded.
   */
  async #change(servers: readonly Server[]): Promise<StepFailures> {
    const { picture, settings } = this.#context
    const failures: Failure[] = []
    const left = () => {
      const failed = new Set(failures.map(({ server }) => server))
      return servers.filter(({ label }) => !failed.has(label))
    }
    failures.push(...(await publishOn(this.#context, servers, this.#publication, this.#links, this.#guards)))
    failures.push(...(await activate(this.#context, left(), this.#publication.release)))
    if (settings.rollout.healthCheck !== undefined) {
      for (const { label } of left()) picture.enter(label, 'health')
      failures.push(...(await checkHealth(this.#context, left(), this.#publication.release)))
    }
    return { failures }
  }

  /** Checks a group after it is back in service. The first time it only asks what was not asked before. */
  async #look(servers: readonly Server[], { isFirst = false } = {}): Promise<StepFailures> {
    const { settings, signal } = this.#context
    const { check } = settings.rollout.local
    const failures = isFirst ? [] : await checkHealth(this.#context, servers, this.#publication.release)
    const stopped =
      check === undefined
        ? undefined
        : await runForGroup(this.#context, 'check', check, servers, this.#publication.release, signal)
    return { failures, stopped }
  }

  /** Servers that may fail are left out, and the others watched on. */
  async #watch(group: PlannedGroup<Server>, servers: number, look: () => Promise<boolean>): Promise<void> {
    if (servers === 0) return
    const { settings, shipit, signal } = this.#context
    const { watch: seconds } = settings.rollout
    shipit.log(`Watching ${count(servers, 'server')} for ${seconds} s`)
    try {
      await watch(seconds, look, { signal })
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error
      await this.#giveUpWhenAborted(group)
    }
  }

  /** Goes on without servers that may fail, or ends the rollout. */
  async #judge(group: PlannedGroup<Server>, { failures, stopped }: StepFailures): Promise<void> {
    if (failures.length === 0 && !stopped) return
    if (this.#context.signal.aborted || stopped || !isTolerated(this.#context, failures))
      return this.#giveUp(group, { failures, stopped })
    const failed = new Set(failures.map(({ server }) => server))
    const servers = group.servers.filter(({ label }) => failed.has(label))
    // While the group is out of service, its own end puts it back.
    const apart = this.#service.isOut(group) ? undefined : { servers }
    const notBack = await goBack(this.#state(), servers, apart)
    tolerate(
      this.#context,
      [...failures, ...notBack.filter(({ server }) => !failed.has(server))],
      'published',
    )
  }

  async #giveUpWhenAborted(group: PlannedGroup<Server>): Promise<void> {
    if (this.#context.signal.aborted) await this.#giveUp(group, { failures: [] })
  }

  async #giveUp(group: PlannedGroup<Server>, { failures, stopped }: StepFailures): Promise<never> {
    const done = this.#begun.filter((each) => each !== group)
    const { revert } = this.#context.settings.rollout
    const consequence = await undo(this.#state(), { revert, group, done })
    if (revert === false)
      await this.#guards.release(group.servers.filter((server) => !this.#guards.isUnreached(server)))
    if (revert === true) forgetRollout(this.#context.shipit)
    if (revert === 'group') this.#save(group.number - 1)
    if (this.#context.signal.aborted) throw interrupted(consequence)
    const all = [...this.#context.leftOut, ...failures]
    tellFailures(this.#context, all)
    if (stopped) throw stop(`${stopped.message}: ${consequence}`)
    throw fleetError(all, consequence, this.#context)
  }

  #state(): Change {
    const [context, publication, links] = [this.#context, this.#publication, this.#links]
    return { context, publication, links, service: this.#service, guards: this.#guards }
  }

  /** A deploy that is killed in the middle of a group leaves what its servers had before, too. */
  #save(done: number): void {
    const { shipit, resumed, lock } = this.#context
    if (this.#groups.length < 2 && !this.#service.hasHooks && !resumed) return
    const { release, isNew, isRollback = false } = this.#publication
    const groups = this.#groups.map(({ name, servers }) => ({
      ...defined({ name }),
      servers: servers.map(({ label }) => label),
    }))
    const begun = this.#begun.flatMap(({ servers }) => servers)
    const links = new Map([
      ...begun.map((server) => [server, lock.linkOf(server) ?? ''] as const),
      ...this.#links,
    ])
    saveRollout(shipit, {
      release,
      revision: shipit.currentRevision ?? null,
      isNew,
      isRollback,
      groups: resumed?.groups ?? groups,
      done,
      links: Object.fromEntries([...links].map(([{ label }, link]) => [label, link])),
    })
  }

  #tell(group: PlannedGroup<Server>, state: 'publishing' | 'live', seconds?: number): void {
    const servers = group.servers.map(({ label }) => label)
    const { number, total } = group
    if (state === 'live')
      this.#context.record.groups.push({ servers, seconds: Number((seconds ?? 0).toFixed(3)) })
    if (total < 2) return
    const fields = {
      group: number,
      groups: total,
      ...(group.name ? { name: group.name } : {}),
      state,
      servers,
    }
    if (state === 'publishing') {
      const text = `Publishing ${nameGroup(group)}: ${servers.join(', ')}`
      say(this.#context, text, 'group', fields)
    } else if (this.#context.display.mode === 'json') say(this.#context, '', 'group', fields)
  }
}

const stop = (message: string) => new MurderError('ROLLOUT_STOPPED', message)
