import type { Placement } from '../hosts/placement.ts'
import type { Transfer } from '../transfer/transfer.ts'
import type { ReachableSwarm, Swarm } from './swarm.ts'

type Seeded = readonly [Transfer, ...Transfer[]]

/** The swarm of a deploy. It starts when the first server needs it, because small content goes with the orders. */
export class LazySwarm implements ReachableSwarm {
  readonly placement: Placement
  readonly seederPort = 0
  readonly #start: (seeded: Seeded) => Promise<Swarm>
  #starting: Promise<Swarm> | undefined
  #running: Swarm | undefined

  constructor(placement: Placement, start: (seeded: Seeded) => Promise<Swarm>) {
    this.placement = placement
    this.#start = start
  }

  readonly sent = (): number => this.#running?.sent() ?? 0

  /** `seeded`: the transfers to seed from the start. Ignored if the swarm has started already. Throws when it does not start. */
  async start(seeded: Seeded): Promise<Swarm> {
    this.#starting ??= this.#start(seeded)
    this.#running = await this.#starting
    return this.#running
  }

  async reach(transfer: Transfer): Promise<ReachableSwarm> {
    return transfer.content ? this : (await this.start([transfer])).reach(transfer)
  }

  async stop(): Promise<void> {
    const started = await this.#starting?.catch(() => undefined)
    await started?.stop()
  }
}
