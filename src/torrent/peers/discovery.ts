import { endpointOf } from '../../system/addresses.ts'
import { defined } from '../../system/defined.ts'
import { type DialFilter, dialFilter } from '../access/dial-filter.ts'
import { withSecret } from '../access/secret.ts'
import { isMesh } from '../scheduler/topology.ts'
import type { SwarmContext } from '../swarm-context.ts'
import type { AnnounceRequest } from '../tracker/announce.ts'
import { Announcer } from '../tracker/announcer.ts'
import { isPlaceName } from '../tracker/sites/places.ts'
import type { Guidance } from '../tracker/sites/site-roster.ts'
import type { Connection } from './connection.ts'
import type { Neighbours } from './neighbours.ts'
import { guessAddresses, PeerExchange } from './pex.ts'

const GOODBYE_TIMEOUT_MS = 1000
const PEERS_WANTED = 50

export interface DiscoveryCallbacks {
  /** Whether this process needs no more peers. */
  isServed(): boolean
  /** The swarm has at least this many participants. */
  onSwarmSize(size: number): void
  /** A tracker names the place of this process. */
  onPlace(place: string): void
  /** A tracker says whom to connect to. */
  onGuidance(guidance: Guidance<string>): void
}

/** Finds peers to connect to: from the user, from trackers and from neighbours; without a tracker it guesses a few. */
export class Discovery {
  readonly #context: SwarmContext
  readonly #neighbours: Neighbours
  readonly #exchange: PeerExchange
  readonly #announcers: Announcer[]
  readonly #mayDial: DialFilter
  #guessed = false

  constructor(context: SwarmContext, neighbours: Neighbours, callbacks: DiscoveryCallbacks) {
    const { options, nowS } = context
    this.#context = context
    this.#neighbours = neighbours
    this.#mayDial = dialFilter(options.hosts ?? (() => undefined), options.peers)
    this.#exchange = new PeerExchange(
      (addresses) => this.#learn(addresses),
      nowS,
      this.#mayDial,
      (one, other) => neighbours.mayMeet(one, other),
    )
    this.#announcers = options.trackers.map(
      (url) =>
        new Announcer(withSecret(url, options.secret), {
          describe: () => this.#describe(),
          isHungry: () => !callbacks.isServed() && neighbours.wantsMore,
          onAnswer: ({ peers, swarm, place, guidance }) => {
            callbacks.onSwarmSize(swarm)
            if (place !== undefined) callbacks.onPlace(place)
            if (guidance) callbacks.onGuidance(guidance)
            this.#learn(this.#fromTracker(url, peers))
          },
        }),
    )
  }

  get trackerError(): string | undefined {
    return this.#announcers.find(({ error }) => error !== undefined)?.error
  }

  start(): void {
    for (const announcer of this.#announcers) void announcer.start()
    this.#neighbours.learn(this.#context.options.peers, true)
    this.#neighbours.learn(this.#context.options.links?.addresses ?? [])
    this.#neighbours.dialMore()
  }

  /** Tells the trackers that everything is here. */
  completed(): void {
    for (const announcer of this.#announcers) void announcer.completed()
  }

  /** Says goodbye to the trackers, within a second at most. */
  async stop(): Promise<void> {
    const goodbye = Promise.all(this.#announcers.map((announcer) => announcer.stop()))
    await Promise.race([goodbye, new Promise((resolve) => setTimeout(resolve, GOODBYE_TIMEOUT_MS).unref())])
  }

  join(connection: Connection): void {
    if (this.#context.local.exchangesPeers) this.#exchange.join(connection)
  }

  leave(connection: Connection): void {
    this.#exchange.leave(connection)
  }

  /** Called often. */
  tick(): void {
    this.#exchange.tick()
    this.#guessWithoutTracker()
    this.#neighbours.dialMore()
  }

  #describe(): Omit<AnnounceRequest, 'event'> {
    const { local, metainfo, meter, scheduler, options } = this.#context
    const { received, sent } = meter.read(this.#context.nowS())
    return {
      infoHash: local.infoHash,
      peerId: local.peerId,
      port: local.listenPort,
      uploaded: sent,
      downloaded: received,
      left: metainfo.length - scheduler.bytesHere,
      want: PEERS_WANTED,
      locate: local.site === undefined || isPlaceName(local.site.name),
      ...defined({ address: options.address, site: this.#siteToName }),
    }
  }

  /** Small swarms are meshes, where nobody needs a guide. */
  get #siteToName(): string | undefined {
    return isMesh(this.#neighbours.swarmSize) ? undefined : this.#context.local.site?.name
  }

  /** A swarm with a secret keeps to its fleet. Any other accepts strangers, whose addresses are unknown beforehand. */
  #fromTracker(url: string, addresses: string[]): string[] {
    const { secret, hosts } = this.#context.options
    if (secret === undefined || !hosts?.()) return addresses
    const { host } = endpointOf(url)
    return addresses.filter((address) => this.#mayDial(address, host))
  }

  #learn(addresses: string[]): void {
    this.#neighbours.learn(addresses)
    this.#neighbours.dialMore()
  }

  /** Once, when no tracker answers. The seeder also tells agents about each other, but in a large fleet not about all. */
  #guessWithoutTracker(): void {
    const { ports, role } = this.#context.options
    const hosts = role === 'peer' ? this.#context.options.hosts?.() : undefined
    if (this.#guessed || !hosts || this.#announcers.some(({ error }) => error === undefined)) return
    this.#guessed = true
    this.#learn(guessAddresses(hosts, ports[0], Math.random))
  }
}
