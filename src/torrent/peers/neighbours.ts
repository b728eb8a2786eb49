import { connect, type Socket } from 'node:net'
import { BanList } from '../access/ban-list.ts'
import { ConnectionLimit } from '../access/connection-limit.ts'
import { formatAddress, parseAddress } from '../encoding/compact.ts'
import { accepts, type Topology, toOpen } from '../scheduler/topology.ts'
import { readShared, sharedRead } from '../wire/shared-read.ts'
import { Connection, type Host } from './connection.ts'
import { PeerList } from './peer-list.ts'

/** Connections to us that have not shaken hands yet, or not proved themselves. */
const MOST_WAITING = 64
const DIAL_TIMEOUT_MS = 5000

/** Who we are connected to, and whom to dial: never ourselves, nobody twice, nobody who sent wrong bytes. */
export class Neighbours {
  everConnected = false
  /** Where those were who sent wrong bytes, in order. */
  readonly liars: string[] = []
  readonly #host: Host
  readonly #now: () => number
  readonly #book = new PeerList()
  readonly #connections = new Map<number, Connection>()
  readonly #banned = new BanList()
  readonly #waiting = new ConnectionLimit<Connection>(MOST_WAITING)
  #nextId = 1
  #dialing = 0
  #stopped = false
  /** Participants, as far as is known; 0 if nothing is. */
  swarm = 0
  readonly #startedAt: number

  /** `now` in seconds. */
  constructor(host: Host, now: () => number) {
    this.#host = host
    this.#now = now
    this.#startedAt = now()
  }

  get size(): number {
    return this.#connections.size
  }

  /** Whether there is room for peers that are not known yet. */
  get wantsMore(): boolean {
    return toOpen(this.#around()) > 0 && this.size <= this.#book.addresses.length
  }

  get(id: number): Connection | undefined {
    return this.#connections.get(id)
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#connections.values()
  }

  /** `fixed` are addresses that were named by the user or the deploy. */
  learn(addresses: string[], fixed = false): void {
    for (const address of addresses) this.#book.add(address, fixed)
  }

  /** Somebody knows of this many participants; a tracker may know of few at first. */
  swarmIs(size: number): void {
    this.swarm = Math.max(this.swarm, size)
  }

  /** A socket that was accepted and does not read yet. */
  incoming(accepted: Socket): void {
    if (this.#stopped || !this.#accepts(false)) return void accepted.destroy()
    const socket = readShared(accepted, (bytes) => connection.wire.take(bytes))
    const connection = new Connection(this.#nextId++, socket, this.#host)
    this.#waiting.enter(connection, connection.remoteHost)?.close()
  }

  dialMore(): void {
    const room = toOpen(this.#around()) - this.#dialing
    if (this.#stopped || room <= 0) return
    const connected = new Set([...this].flatMap(({ address }) => address ?? []))
    for (const address of this.#book.due(this.#now(), room, connected, Math.random)) this.#dial(address)
  }

  /** Takes in a connection that has shaken hands. Returns false when it is not wanted. */
  admit(connection: Connection): boolean {
    this.#waiting.leave(connection)
    if (connection.peerId === this.#host.peerId) {
      this.#book.forbid(connection.address ?? formatAddress(connection.localHost, this.#host.listenPort))
      return false
    }
    const twin = [...this].find((other) => other.peerId === connection.peerId)
    if (twin && !this.#prefers(connection, twin)) return false
    const isAgent = !connection.outgoing && connection.namesAgent
    if (!twin && !this.#accepts(isAgent)) return false
    if (this.#banned.has(connection)) return false
    this.everConnected = true
    this.#connections.set(connection.id, connection)
    twin?.close()
    return true
  }

  /** The connection has ended. Returns whether it was one of ours. */
  left(connection: Connection): boolean {
    this.#waiting.leave(connection)
    if (connection.outgoing && connection.address) this.#book.ended(connection.address, this.#now())
    return this.#connections.get(connection.id) === connection && this.#connections.delete(connection.id)
  }

  ban(id: number): void {
    const connection = this.#connections.get(id)
    if (!connection) return
    this.#banned.add(connection)
    this.liars.push(connection.address ?? connection.remoteHost)
    connection.close()
  }

  stop(): void {
    this.#stopped = true
    for (const connection of [...this]) connection.close()
  }

  /** Of two connections to one peer, both ends keep the one that the peer with the smaller id opened. */
  #prefers(one: Connection, other: Connection): boolean {
    return one.outgoing !== other.outgoing && one.outgoing === this.#host.peerId < one.peerId
  }

  #accepts(agent: boolean): boolean {
    return accepts(this.#around(), { seeder: this.#host.source, agent })
  }

  #around(): Topology {
    return { swarm: this.swarm, neighbours: this.size, age: this.#now() - this.#startedAt }
  }

  #dial(address: string): void {
    const target = parseAddress(address)
    if (!target || this.#banned.hasAddress(target.host, address)) return this.#book.forbid(address)
    this.#book.dialing(address)
    this.#dialing++
    let connection: Connection | undefined
    const onread = sharedRead((bytes) => connection?.wire.take(bytes))
    const socket = connect({ ...target, timeout: DIAL_TIMEOUT_MS, onread })
    const failed = () => {
      this.#dialing--
      this.#book.ended(address, this.#now())
    }
    socket.once('timeout', () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', failed)
    socket.once('connect', () => {
      socket.off('close', failed)
      socket.setTimeout(0)
      this.#dialing--
      this.#book.connected(address, this.#now())
      connection = new Connection(this.#nextId++, socket, this.#host, address)
    })
  }
}
