import type { Server } from '../../fleet/ssh/server.ts'
import type { TaskContext } from '../context/context.ts'
import { DEPLOY_HOST, Placement } from '../hosts/placement.ts'
import type { RemotePeer } from '../peers/remote-peer.ts'
import type { FleetFacts } from '../preflight/preflight.ts'
import { prepareReach, type Reach } from '../reach/reach.ts'
import { tryWays } from '../reach/try-ways.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { MoreSeeders } from './more-seeders.ts'
import type { ReachableSwarm } from './swarm.ts'

/**
 * Where a server seeds: other servers that neither reach it nor get the content over links take it from this machine, which
 * has it, too, and which they reach through SSH at least.
 */
export class SeedHere {
  readonly #context: TaskContext
  /** As if this machine were the seeder, without a tracker. */
  readonly #own: TaskContext
  readonly #facts: FleetFacts
  readonly #seeders: MoreSeeders
  readonly #reaches: Promise<Reach>[] = []

  /** `share`: how many seeders share the limits of this machine. */
  constructor(context: TaskContext, share: number, facts: FleetFacts) {
    const { announce: _, ...settings } = context.settings
    const tracker = { ...settings.tracker, at: 'none' }
    this.#context = context
    this.#own = { ...context, settings: { ...settings, announce: undefined, seeder: 'local', tracker } }
    this.#facts = facts
    this.#seeders = new MoreSeeders(this.#own, share, facts, new Placement(this.#own, facts))
  }

  get sent(): number {
    return this.#seeders.sent
  }

  /** Whether this server does not reach the server that seeds, at that port. */
  async isCutOff(placement: Placement, port: number, server: Server, peer: RemotePeer): Promise<boolean> {
    const { settings } = this.#context
    const machine = placement.seeder
    if (machine.server === undefined || machine.server === server) return false
    if (settings.between === 'ssh') return true
    const site = { machine, port, range: settings.ports, isPeer: true }
    const start = this.#startOf(server, peer)
    const tried = await tryWays(this.#context, start, { sites: [site], placement, between: false })
    return tried.sites.get(server)?.some((word) => word !== 'reached') ?? false
  }

  /** Starts to seed here, if it does not yet, and finds the way of this server. */
  async seed(transfer: Transfer, server: Server, peer: RemotePeer): Promise<ReachableSwarm> {
    const { port } = await this.#seeders.start(transfer)
    const targets = { seeder: port }
    this.#context.display
      .board()
      .log(`${server.label} does not reach the seeder: it takes the release from ${DEPLOY_HOST}`)
    const reaching = prepareReach(this.#own, this.#startOf(server, peer), transfer.tag, targets)
    this.#reaches.push(reaching)
    const reach = await reaching
    return {
      placement: new Placement(this.#own, this.#facts),
      relays: await reach.relays,
      areWaysTried: reach.areWaysTried,
      seederPort: port,
      sent: () => this.sent,
      lead: (one) => reach.lead(one, targets),
    }
  }

  async stop(): Promise<void> {
    for (const reach of await Promise.allSettled(this.#reaches))
      if (reach.status === 'fulfilled') await reach.value.close()
    await this.#seeders.stop()
  }

  #startOf(server: Server, peer: RemotePeer) {
    return { facts: this.#facts, peers: new Map([[server, peer]]), uploaded: Promise.resolve() }
  }
}
