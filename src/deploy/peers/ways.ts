import { explain } from '../../errors.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import type { Context } from '../context/context.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { type ReceivePlan, type SharedOrder, sameForAll } from './make-order.ts'

/** What travels and from where, and the parts of the order that are the same for all servers that get it so. */
export interface Way {
  plan: ReceivePlan
  shared: SharedOrder
}

/** The ways of one deploy: the package, and deltas. Each is made when the first server needs it. */
export class Ways {
  readonly #context: Context
  readonly #plan: ReceivePlan
  readonly #made = new Map<Transfer, Promise<Way>>()

  constructor(context: Context, plan: ReceivePlan) {
    this.#context = context
    this.#plan = plan
  }

  /** The package's. */
  whole(): Promise<Way> {
    return this.#of(this.#plan.transfer)
  }

  /** That of a server: where its delta cannot be seeded, the package's. */
  async for(server: Server): Promise<Way> {
    const delta = this.#plan.deltas?.get(server)
    if (delta === undefined) return this.whole()
    try {
      return await this.#of(delta)
    } catch (error) {
      this.#context.display.board().log(`${server.label} gets the whole package: ${explain(error)}`)
      return this.whole()
    }
  }

  #of(transfer: Transfer): Promise<Way> {
    const made = this.#made.get(transfer) ?? this.#make(transfer)
    this.#made.set(transfer, made)
    return made
  }

  async #make(transfer: Transfer): Promise<Way> {
    const swarm = (await this.#plan.reach?.(transfer)) ?? this.#plan.swarm
    const plan = { ...this.#plan, transfer, swarm }
    return { plan, shared: await sameForAll(this.#context, plan) }
  }
}
