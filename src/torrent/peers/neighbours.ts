import type { Socket } from 'node:net'
import { formatAddress, parseAddress } from '../../system/addresses.ts'
import { BanList, type Suspect } from '../access/ban-list.ts'
import { ConnectionLimit } from '../access/connection-limit.ts'
import { HostLimit } from '../access/host-limit.ts'
import { accepts, type Topology, toOpen } from '../scheduler/topology.ts'
import type { SwarmContext } from '../swarm-context.ts'
import { readShared } from '../wire/shared-read.ts'
import { Connection, type ConnectionContext, type Origin } from './connection.ts'
import { Dialer } from './dialing/dialer.ts'
import { PeerList } from './dialing/peer-list.ts'
import type { BlockSource } from './limits/upload-queue.ts'
import { isOneServer } from './local-peer.ts'
import { SiteBorder } from './site-border.ts'

/** Connections to us whose handshake, or proof, is still to come. */
const MAX_UNPROVED = 64

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
  readonly #dialer: Dialer
  readonly #unproved = new ConnectionLimit<Connection>(MAX_UNPROVED)
  readonly #startedAtS: number
  readonly #border: SiteBorder
  #nextId = 1
  #stopped = false

  constructor(context: SwarmContext, source: BlockSource, events: NeighbourEvents) {
    this.#connections = context.connections
    this.#events = events
    this.#startedAtS = context.nowS()
    this.#dialer = new Dialer({
      peerList: this.#peerList,
      links: context.options.links,
      nowS: context.nowS,
      opened: (socket, origin) => this.#connect(socket, origin),
    })
    this.#border = new SiteBorder(context)
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

  /** A tracker guides this process (`../tracker/sites/site-roster.ts`): it connects to these. */
  guide(partners: readonly string[]): void {
    this.#border.isGuarded = true
    this.#peerList.setPartners(new Set(partners))
    for (const id of [...this.#connections.keys()]) this.refuseFar(id)
  }

  /** Closes a connection to another site if this process should have none. */
  refuseFar(id: number): void {
    if (!this.#border.mayKeep(id)) this.#connections.get(id)?.close()
  }

  /** Whether two neighbours should hear of each other. */
  mayMeet(one: Connection, other: Connection): boolean {
    return this.#border.mayMeet(one, other)
  }

  /** Raises the known number of participants. A tracker may know few at first. */
  raiseSwarmSize(size: number): void {
    this.swarmSize = Math.max(this.swarmSize, size)
  }

  /** A socket that was accepted and does not read yet. */
  incoming(accepted: Socket): void {
    if (this.#stopped || !this.#accepts(false)) return void accepted.destroy()
    const socket = readShared(accepted, (bytes) => connection.wire.take(bytes))
    const connection = this.#connect(socket)
  }

  /** A connection that another peer has opened over a link. */
  incomingLink(socket: Socket, host: string): void {
    if (this.#stopped || !this.#accepts(false)) return void socket.destroy()
    this.#connect(socket, { linkTo: host })
    socket.resume()
  }

  dialMore(): void {
    const room = toOpen(this.#topology()) - this.#dialer.underWay
    if (this.#stopped || (room <= 0 && !this.#border.isGuarded)) return
    const connected = new Set([...this.#connections.values()].flatMap(({ address }) => address ?? []))
    const due = this.#peerList.due(this.#context.nowS(), room, connected, Math.random)
    for (const address of due) {
      const target = parseAddress(address)
      if (!target || this.#banList.hasAddress(target.host, address)) this.#peerList.forbid(address)
      else this.#dialer.dial(address, target)
    }
  }

  /** Opens one more connection to a neighbour. */
  dialSubflow({ address = '', isLink }: Connection, failed: () => void): void {
    const target = parseAddress(address)
    if (this.#stopped || !target || isLink) return failed()
    this.#dialer.dialSubflow(address, target, failed)
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
    this.#dialer.stop()
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
    else this.#dialer.crossing.wait(connection.remoteHost, answer)
  }

  #dialEnded({ outgoing, address }: Connection): void {
    if (outgoing && address) this.#dialer.crossing.end(address)
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

  /** An ordinary peer does not count the neighbours that lead a site. */
  #topology(): Topology {
    const leads = this.#context.local.rank !== undefined
    const counted = [...this.#connections.values()].filter(({ rank }) => leads || rank === undefined)
    return {
      swarm: this.swarmSize,
      neighbours: counted.length,
      leads,
      ageS: this.#context.nowS() - this.#startedAtS,
    }
  }

  #connect(socket: Socket, origin: Origin = {}): Connection {
    const connection = new Connection(this.#nextId++, socket, this.#context, origin)
    if (!origin.dialed) this.#unproved.add(connection, connection.remoteHost)?.close()
    return connection
  }
}
