import type { TaskContext } from '../context/context.ts'
import type { Host } from '../hosts/host.ts'
import { deployHosts } from '../hosts/hosts.ts'
import type { Placement } from '../hosts/placement.ts'
import type { Agent } from '../hosts/running-agent.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { bringSeed, trackerArgs } from './bring-seed.ts'
import { putPermitsOf } from './permits.ts'

/** Seeders of further transfers of a swarm, each started when it is needed. */
export class MoreSeeders {
  readonly #context: TaskContext
  readonly #share: number
  readonly #facts: FleetFacts
  readonly #placement: Placement
  readonly #started = new Map<Transfer, Promise<Agent>>()
  readonly #running: Agent[] = []
  readonly #hosts: Host[] = []

  /** `share`: how many seeders there may be, with the first. */
  constructor(context: TaskContext, share: number, facts: FleetFacts, placement: Placement) {
    this.#context = context
    this.#share = share
    this.#facts = facts
    this.#placement = placement
  }

  get sent(): number {
    return this.#running.reduce((sum, { sent }) => sum + sent, 0)
  }

  start(transfer: Transfer): Promise<Agent> {
    const started = this.#started.get(transfer) ?? this.#start(transfer)
    this.#started.set(transfer, started)
    return started
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#started.values())
    await Promise.all(this.#running.map((agent) => agent.stop()))
    await Promise.all(this.#hosts.map((host) => host.clear()))
  }

  async #start(transfer: Transfer): Promise<Agent> {
    const { seeder: host } = deployHosts(this.#context, transfer)
    this.#hosts.push(host)
    const permits = await putPermitsOf(this.#context, [transfer], host, this.#facts)
    const args = await bringSeed(this.#context, host, transfer, permits, this.#share)
    const announce = trackerArgs(host, transfer, this.#placement)
    const agent = await host.start('seed', [...args, ...announce, '--tag', transfer.tag])
    this.#running.push(agent)
    return agent
  }
}
