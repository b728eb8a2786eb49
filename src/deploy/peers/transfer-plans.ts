import { explain } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { TaskContext } from '../context/context.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { type FleetPlan, isIn, type ReceivePlan, type SharedOrder, sameForAll } from './make-order.ts'
import type { RemotePeer } from './remote-peer.ts'

/** One transfer: what travels, from which seeder, and the parts of the order that are the same for all its servers. */
export interface TransferPlan {
  plan: ReceivePlan
  shared: SharedOrder
}

/** The transfers of one deploy: the package, and deltas. The plan of each is made when the first server needs it. */
export class TransferPlans {
  readonly #context: Pick<TaskContext, 'display' | 'fleet' | 'settings'>
  readonly #plan: FleetPlan
  readonly #made = new Map<Transfer, Promise<TransferPlan>>()

  constructor(context: Pick<TaskContext, 'display' | 'fleet' | 'settings'>, plan: FleetPlan) {
    this.#context = context
    this.#plan = plan
  }

  /** The plan of the package. Makes the package if needed. Throws when it cannot be made or seeded. */
  async whole(): Promise<TransferPlan> {
    return this.#of(await this.#plan.whole())
  }

  /** The plan of one server: its delta, or the package if there is no delta or it cannot be seeded. */
  async for(server: Server): Promise<TransferPlan> {
    const chosen = await this.#chosenFor(server)
    const peer = this.#plan.peers?.get(server)
    return peer && this.#isApart(chosen.plan) ? this.met(chosen, server, peer) : chosen
  }

  /** The plan with the swarm as this server reaches it. `peer` waits for its order. */
  async met(chosen: TransferPlan, server: Server, peer: RemotePeer): Promise<TransferPlan> {
    const { plan } = chosen
    const swarm = (await plan.swarm.meet?.(server, peer)) ?? plan.swarm
    return { ...chosen, plan: { ...plan, swarm } }
  }

  /**
   * Whether the seeder is on a server that does not take part in the transfer: it brings the content to no link between servers. With
   * `between: 'direct'` there are none.
   */
  #isApart(plan: ReceivePlan): boolean {
    const seeder = plan.swarm.placement.seeder.server
    if (seeder === undefined || plan.transfer.content) return false
    const { settings, fleet } = this.#context
    return (
      settings.between === 'direct' ||
      !(plan.servers ?? fleet.servers).includes(seeder) ||
      !isIn(plan, seeder)
    )
  }

  async #chosenFor(server: Server): Promise<TransferPlan> {
    const delta = this.#plan.deltas?.get(server)
    if (delta === undefined) return this.whole()
    try {
      return await this.#of(delta)
    } catch (error) {
      this.#context.display
        .board()
        .log(`${server.label} gets the whole package: ${explain(error)}`, server.label)
      return this.whole()
    }
  }

  #of(transfer: Transfer): Promise<TransferPlan> {
    const made = this.#made.get(transfer) ?? this.#make(transfer)
    this.#made.set(transfer, made)
    return made
  }

  async #make(transfer: Transfer): Promise<TransferPlan> {
    const swarm = (await this.#plan.reach?.(transfer)) ?? this.#plan.swarm
    const plan = { ...this.#plan, transfer, swarm }
    return { plan, shared: await sameForAll(this.#context, plan) }
  }
}
