import { connect, type Socket } from 'node:net'
import { formatAddress, parseAddress } from '../../system/addresses.ts'
import { BanList, type Suspect } from '../access/ban-list.ts'
import { ConnectionLimit } from '../access/connection-limit.ts'
import { HostLimit } from '../access/host-limit.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import { accepts, isMesh, type Topology, toOpen } from '../scheduler/topology.ts'
import type { SwarmContext } from '../swarm-context.ts'
import { readShared, sharedRead } from '../wire/shared-read.ts'
import { Connection, type ConnectionContext, type Dialed, type Origin } from './connection.ts'
import { CrossingDials } from './crossing-dials.ts'
import type { BlockSource } from './limits/upload-queue.ts'
import { isOneServer } from './local-peer.ts'
import type { PeerLinks } from './peer-links.ts'
import { PeerList } from './peer-list.ts'
import { RoundTripClock } from './subflows/round-trip-clock.ts'

/** Connections to us whose handshake, or proof, is still to come. */
const MAX_UNPROVED = 64
const DIAL_TIMEOUT_MS = 5000
/** When nothing came for so long, also those that do not lead a site may be connected to others. */
const STALL_S = 5

type Target = { host: string; port: number }

export interface NeighbourEvents {
  /** The connection is one of ours from now on. */
  joined(connection: Connection): void
  /** One of ours has ended. */
  left(connection: Connection): void
  /** A further connection to a neighbour, which has proved as much as any. */
  subflowReady(subflow: Connection): void
  subflowEnded(subflow: Connection): void
}

/** Decides which connections to open, accept and keep: one to each peer, none to ourselves and none to banned peers. */
export class Neighbours {
  everConnected = false
  /** Addresses of peers that were banned, in order. */
  readonly banned: string[] = []
  /** The known number of participants; 0 when unknown. */
  swarmSize = 0
  readonly #context: ConnectionContext
  readonly #connections: Map<number, Connection>
  readonly #events: NeighbourEvents
  readonly #peerList = new PeerList()
  readonly #banList = new BanList((host) => this.#isShared(host))
  readonly #hostLimit = new HostLimit()
  /** Hosts that the user or the deploy has named: our seeder's, and perhaps another server's. */
  readonly #namedHosts = new Set<string>()
  readonly #dials = new CrossingDials()
  readonly #unproved = new ConnectionLimit<Connection>(MAX_UNPROVED)
  readonly #startedAtS: number
  readonly #links: PeerLinks | undefined
  readonly #scheduler: Scheduler
  #nextId = 1
  #dialing = 0
  #isGuided = false
  #progress: { bytes: number; atS: number }
  #stopped = false

  constructor(context: SwarmContext, source: BlockSource, events: NeighbourEvents) {
    this.#connections = context.connections
    this.#events = events
    this.#startedAtS = context.nowS()
    this.#progress = { bytes: 0, atS: this.#startedAtS }
    this.#links = context.options.links
    this.#scheduler = context.scheduler
    this.#context = {
      local: context.local,
      coalescer: context.coalescer,
      nowS: context.nowS,
      source,
      onReady: (connection) => this.#ready(connection),
      onCalled: (connection, answer) => this.#called(connection, answer),
      onClose: (connection) => this.#closed(connection),
    }
  }

  /** Whether to look for more peers. */
  get wantsMore(): boolean {
    return toOpen(this.#topology()) > 0 && this.#connections.size <= this.#peerList.addresses.length
  }

  /** `fixed`: the user or the deploy has named these addresses. */
  learn(addresses: readonly string[], fixed = false): void {
    for (const address of addresses) {
      this.#peerList.add(address, fixed)
      if (fixed) this.#namedHosts.add(parseAddress(address)?.host ?? '')
    }
  }

  /**
   * A tracker guides this process (`../tracker/site-roster.ts`): it connects to these, and unless it leads its site it keeps no
   * connection to another one.
   */
  guide(partners: readonly string[]): void {
    this.#isGuided = true
    this.#peerList.setPartners(new Set(partners))
    for (const id of [...this.#connections.keys()]) this.refuseFar(id)
  }

  /** Closes a connection to another site if only leaders have such. With nothing else to get content from, it stays. */
  refuseFar(id: number): void {
    const { isSeeder, rank } = this.#context.local
    const mayCross = !this.#isGuided || isMesh(this.swarmSize) || isSeeder || rank !== undefined
    if (!mayCross && this.#scheduler.isFar(id) && !this.#isStalled) this.#connections.get(id)?.close()
  }

  /** Raises the known number of participants. A tracker may know few at first. */
  raiseSwarmSize(size: number): void {
    this.swarmSize = Math.max(this.swarmSize, size)
  }

  /** A socket that was accepted and does not read yet. */
  incoming(accepted: Socket): void {
    if (this.#stopped || !this.#accepts(false)) return void accepted.destroy()
    const socket = readShared(accepted, (bytes) => connection.wire.take(bytes))
    const connection = new Connection(this.#nextId++, socket, this.#context)
    this.#unproved.add(connection, connection.remoteHost)?.close()
  }

  /** A connection that another peer has opened over a link. */
  incomingLink(socket: Socket, host: string): void {
    if (this.#stopped || !this.#accepts(false)) return void socket.destroy()
    this.#joinLink(socket, { linkTo: host })
  }

  dialMore(): void {
    const room = toOpen(this.#topology()) - this.#dialing
    if (this.#stopped || (room <= 0 && !this.#isGuided)) return
    const connected = new Set([...this.#connections.values()].flatMap(({ address }) => address ?? []))
    const due = this.#peerList.due(this.#context.nowS(), room, connected, Math.random)
    for (const address of due) this.#dial(address)
  }

  /** Opens one more connection to a neighbour. */
  dialSubflow({ address = '', isLink }: Connection, failed: () => void): void {
    const target = parseAddress(address)
    if (this.#stopped || !target || isLink) return failed()
    this.#open(target, failed, (took) => ({ address, took, isSubflow: true }))
  }

  /** A peer, which may have left already, has sent wrong bytes. */
  ban(peer: Suspect): void {
    if (!this.#banList.add(peer)) return
    this.banned.push(peer.address ?? peer.remoteHost)
    for (const connection of [...this.#connections.values()])
      if (this.#banList.has(connection)) connection.close()
  }

  isBanned(peer: Suspect): boolean {
    return this.#banList.has(peer)
  }

  stop(): void {
    this.#stopped = true
    for (const connection of [...this.#connections.values()]) connection.close()
  }

  #ready(connection: Connection): void {
    this.#unproved.remove(connection)
    if (connection.wire.isSubflow) return this.#events.subflowReady(connection)
    if (this.#admit(connection)) this.#events.joined(connection)
    else connection.close()
    this.#dialEnded(connection)
  }

  #called(connection: Connection, answer: () => void): void {
    const oursPrevails = this.#context.local.peerId < connection.peerId
    if (connection.wire.isSubflow || !oursPrevails) answer()
    else this.#dials.wait(connection.remoteHost, answer)
  }

  #dialEnded({ outgoing, address }: Connection): void {
    if (outgoing && address) this.#dials.end(address)
  }

  /** Returns false when the connection is not wanted. */
  #admit(connection: Connection): boolean {
    const { local } = this.#context
    if (connection.peerId === local.peerId) {
      this.#peerList.forbid(connection.address ?? formatAddress(connection.localHost, local.listenPort))
      return false
    }
    const twin = [...this.#connections.values()].find(({ peerId }) => peerId === connection.peerId)
    if (twin && !this.#prefers(connection, twin)) return false
    const isAgent = !connection.outgoing && connection.hasAgentId
    if (!twin && !this.#accepts(isAgent)) return false
    if (this.#banList.has(connection)) return false
    if (!twin && !this.#hasRoomFor(connection)) return false
    this.everConnected = true
    this.#connections.set(connection.id, connection)
    twin?.close()
    return true
  }

  #closed(connection: Connection): void {
    this.#unproved.remove(connection)
    if (connection.wire.isSubflow) return this.#events.subflowEnded(connection)
    this.#dialEnded(connection)
    if (connection.outgoing && connection.address)
      this.#peerList.ended(connection.address, this.#context.nowS())
    if (this.#connections.get(connection.id) !== connection) return
    this.#connections.delete(connection.id)
    this.#events.left(connection)
  }

  /** When two peers have two connections, both keep the one that the peer with the smaller id opened. */
  #prefers(one: Connection, other: Connection): boolean {
    return one.outgoing !== other.outgoing && one.outgoing === this.#context.local.peerId < one.peerId
  }

  #accepts(agent: boolean): boolean {
    return accepts(this.#topology(), { seeder: this.#context.local.isSeeder, agent })
  }

  #hasRoomFor({ remoteHost: host, outgoing }: Connection): boolean {
    if (!isOneServer(this.#context.local, host)) return true
    const others = [...this.#connections.values()].filter((one) => one.remoteHost === host)
    const connected = others.filter((one) => one.outgoing === outgoing).length
    return this.#hostLimit.admit(host, { outgoing, connected }, this.#context.nowS())
  }

  /** A server with a named address is not banned as a whole at once, because our seeder may be there. */
  #isShared(host: string): boolean {
    return !isOneServer(this.#context.local, host) || this.#namedHosts.has(host)
  }

  /** Whether nothing came for long, although something is missing. */
  get #isStalled(): boolean {
    const { bytesHere, done } = this.#scheduler
    const nowS = this.#context.nowS()
    if (this.#progress.bytes !== bytesHere) this.#progress = { bytes: bytesHere, atS: nowS }
    return !done && nowS - this.#progress.atS > STALL_S
  }

  /** Neighbours that lead no site. */
  get #ordinary(): number {
    let count = 0
    for (const { rank } of this.#connections.values()) if (rank === undefined) count++
    return count
  }

  #topology(): Topology {
    const leads = this.#context.local.rank !== undefined
    return {
      swarm: this.swarmSize,
      neighbours: leads ? this.#connections.size : this.#ordinary,
      leads,
      ageS: this.#context.nowS() - this.#startedAtS,
    }
  }

  #dial(address: string): void {
    const target = parseAddress(address)
    if (!target || this.#banList.hasAddress(target.host, address)) return this.#peerList.forbid(address)
    this.#peerList.dialing(address)
    if (this.#links?.addresses.includes(address))
      return void this.#dialLink(this.#links, address, target.host)
    this.#dialing++
    this.#dials.begin(address)
    const failed = () => {
      this.#dialing--
      this.#dials.end(address)
      this.#peerList.ended(address, this.#context.nowS())
    }
    this.#open(target, failed, (took) => {
      this.#dialing--
      this.#peerList.connected(address, this.#context.nowS())
      return { address, took, isSubflow: false }
    })
  }

  /** A link may wait long: the other side takes it only when it has its order. */
  async #dialLink(links: PeerLinks, address: string, linkTo: string): Promise<void> {
    try {
      const socket = await links.connect(address)
      if (this.#stopped || socket.destroyed) throw new Error('it has ended')
      this.#peerList.connected(address, this.#context.nowS())
      const took = { mostS: Number.POSITIVE_INFINITY, leastS: 0 }
      this.#joinLink(socket, { linkTo, dialed: { address, took, isSubflow: false } })
    } catch {
      this.#peerList.ended(address, this.#context.nowS())
    }
  }

  #joinLink(socket: Socket, origin: Origin): void {
    const connection = new Connection(this.#nextId++, socket, this.#context, origin)
    if (!origin.dialed) this.#unproved.add(connection, connection.remoteHost)?.close()
    socket.resume()
  }

  #open(target: Target, failed: () => void, connected: (took: Dialed['took']) => Dialed): void {
    const clock = new RoundTripClock()
    let connection: Connection | undefined
    const onread = sharedRead((bytes) => connection?.wire.take(bytes))
    const socket = connect({ ...target, timeout: DIAL_TIMEOUT_MS, onread })
    socket.once('timeout', () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', failed)
    socket.once('close', () => clock.stop())
    socket.once('connect', () => {
      const took = clock.stop()
      socket.off('close', failed)
      socket.setTimeout(0)
      connection = new Connection(this.#nextId++, socket, this.#context, { dialed: connected(took) })
    })
  }
}
