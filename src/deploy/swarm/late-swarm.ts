import type { Placement } from '../hosts/placement.ts'
import type { Transfer } from '../transfer/transfer.ts'
import type { ReachableSwarm, Swarm } from './swarm.ts'

/** The swarm of a deploy. It starts with the first server that needs one: what is small goes with the orders. */
export class LateSwarm implements ReachableSwarm {
  readonly placement: Placement
  readonly seederPort = 0
  readonly #start: () => Promise<Swarm>
  #starting: Promise<Swarm> | undefined
  #running: Swarm | undefined

  constructor(placement: Placement, start: () => Promise<Swarm>) {
    this.placement = placement
    this.#start = start
  }

  readonly sent = (): number => this.#running?.sent() ?? 0

  /** Throws when it does not start. */
  async start(): Promise<Swarm> {
    this.#starting ??= this.#start()
    this.#running = await this.#starting
    return this.#running
  }

  async reach(transfer: Transfer): Promise<ReachableSwarm> {
    return transfer.content ? this : (await this.start()).reach(transfer)
  }

  async stop(): Promise<void> {
    const started = await this.#starting?.catch(() => undefined)
    await started?.stop()
  }
}
