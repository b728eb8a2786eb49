import type { Block, BlockRequest } from '../../src/torrent/scheduler/partial-piece.ts'
import { PieceSet } from '../../src/torrent/scheduler/piece-set.ts'
import { Scheduler } from '../../src/torrent/scheduler/scheduler.ts'
import { SuperSeeding } from '../../src/torrent/scheduler/super-seeding.ts'
import { accepts, type Topology, toOpen } from '../../src/torrent/scheduler/topology.ts'
import { EventQueue } from './event-queue.ts'
import { Downlink, type Transfer, Uplink } from './link.ts'

const LARGEST_BLOCK_BYTES = 128 * 1024
/** Peers in one answer of the tracker, as in peers/discovery.ts. */
const PEERS_WANTED = 50
/** The same as in tracker/announcer.ts. */
const SECOND_ANNOUNCE_S = 2
const TICK_S = 0.1
/** A peer collects its HAVEs for so long before it sends them, as in wire/coalescing.ts. */
const COALESCE_S = 0.04
/** A packet of HAVEs without them, with its headers and its acknowledgement. */
const PACKET_BYTES = 120
const HAVE_BYTES = 9
/** After so long a system closes the connections of a server that vanished. */
const CLOSE_S = 5

export interface SwarmOptions {
  servers: number
  pieces: number
  pieceLength: number
  /** Bytes a second of each server's link, both ways; the seeder is number 0. */
  rate: (server: number) => number
  /** One-way seconds between any two. */
  latency: number
  /** Seconds at which each server starts. */
  startAt?: (server: number) => number
  /** Seconds at which servers vanish, by their numbers. */
  deaths?: Map<number, number>
  random: () => number
}

export interface SwarmResult {
  /** Seconds at which each server was done, by its number less one; undefined for a server that is dead or not done. */
  doneAt: (number | undefined)[]
  /** Bytes sent by the seeder. */
  seederSent: number
  /** The same, until every piece had left it. */
  seederSentFirst: number
  /** Bytes received twice, by all servers. */
  twice: number
  /** Living servers that did not get everything. */
  unfinished: number
}

interface Delivery extends Transfer {
  from: Node
  receiver: Node
  request: BlockRequest
}

/** HAVEs that `from` sends to some of its neighbours at the same time. */
interface Post {
  from: Node
  letters: Letter[]
}

interface Letter {
  to: Node
  news: number[]
}

class Node {
  readonly scheduler: Scheduler
  readonly neighbours = new Map<number, Node>()
  readonly up: Uplink<Delivery>
  readonly down: Downlink
  alive = true
  doneAt: number | undefined
  received = 0
  news: number[] = []
  startedAt = 0
  /** Named by the tracker and not dialed yet. */
  known: Node[] = []
  readonly id: number

  constructor(id: number, options: SwarmOptions, up: Uplink<Delivery>) {
    const { pieces, pieceLength, random } = options
    this.id = id
    this.scheduler = new Scheduler({ length: pieces * pieceLength, pieceLength, random })
    if (id === 0) for (let piece = 0; piece < pieces; piece++) this.scheduler.alreadyHave(piece)
    this.up = up
    this.down = new Downlink(options.rate(id))
  }
}

/** Runs a whole swarm in simulated time. The scheduler of every server is the one that the agent runs. */
export function simulate(options: SwarmOptions): SwarmResult {
  return new Swarm(options).run()
}

class Swarm {
  readonly #queue = new EventQueue()
  readonly #options: SwarmOptions
  readonly #nodes: Node[]
  readonly #seeder: Node
  readonly #started: Node[] = []
  readonly #superSeeding: SuperSeeding | undefined
  #showsAll: boolean
  #seederSentFirst = 0
  /** Servers that are neither done nor dead. */
  #waiting: number

  constructor(options: SwarmOptions) {
    this.#options = options
    const { pieces, servers, pieceLength } = options
    this.#nodes = Array.from({ length: servers + 1 }, (_, id) => this.#makeNode(id))
    this.#seeder = this.#nodes[0] as Node
    this.#superSeeding = servers > 1 ? new SuperSeeding(pieces, () => pieceLength) : undefined
    this.#showsAll = this.#superSeeding === undefined
    this.#waiting = servers
  }

  run(): SwarmResult {
    const queue = this.#queue
    const nodes = this.#nodes
    const options = this.#options
    this.#started.push(this.#seeder)
    for (const node of nodes.slice(1)) queue.at(options.startAt?.(node.id) ?? 0, this.#start, node)
    for (const [id, at] of options.deaths ?? []) queue.at(at, this.#die, nodes[id] as Node)
    this.#seederTick(undefined)
    const limit = 200 * ((options.pieces * options.pieceLength) / options.rate(1))
    while (this.#waiting > 0 && queue.now < limit && queue.step());
    return this.#result()
  }

  #result(): SwarmResult {
    const { pieces, pieceLength } = this.#options
    const peers = this.#nodes.slice(1)
    const whole = peers.filter(({ alive, doneAt }) => alive && doneAt !== undefined)
    return {
      doneAt: peers.map(({ alive, doneAt }) => (alive ? doneAt : undefined)),
      seederSent: this.#seeder.up.bytes,
      seederSentFirst: this.#seederSentFirst || this.#seeder.up.bytes,
      twice: whole.reduce((sum, { received }) => sum + received - pieces * pieceLength, 0),
      unfinished: peers.filter(({ alive, doneAt }) => alive && doneAt === undefined).length,
    }
  }

  #makeNode(id: number): Node {
    const sent = (delivery: Delivery, bytes: number) => this.#sent(delivery, bytes)
    return new Node(id, this.#options, new Uplink(this.#queue, this.#options.rate(id), sent))
  }

  // ---- neighbours

  readonly #start = (node: Node): void => {
    if (!node.alive) return
    node.startedAt = this.#queue.now
    node.scheduler.setSwarmSize(this.#nodes.length)
    // Every peer knows the seeder. The tracker names some of the other peers.
    this.#connect(node, this.#seeder)
    this.#announceTo(node)
    this.#started.push(node)
    this.#queue.afterUsual(SECOND_ANNOUNCE_S, this.#announceTo, node)
    this.#tick(node)
  }

  readonly #announceTo = (node: Node): void => {
    if (!node.alive || node.doneAt !== undefined) return
    for (let count = 0; count < PEERS_WANTED; count++) {
      const other = this.#started[Math.floor(this.#options.random() * this.#started.length)] as Node
      if (other !== node && other !== this.#seeder) node.known.push(other)
    }
    this.#openMore(node)
  }

  #openMore(node: Node): void {
    for (let count = toOpen(this.#around(node)); count > 0; count--) {
      const other = node.known.pop()
      if (!other) return
      if (other.alive) this.#connect(node, other)
    }
  }

  #connect(from: Node, to: Node): void {
    if (
      from.neighbours.has(to.id) ||
      !accepts(this.#around(to), { seeder: to === this.#seeder, agent: true })
    )
      return
    this.#introduce(from, to)
    this.#introduce(to, from)
    this.#queue.afterUsual(this.#options.latency, this.#greet, { a: from, b: to })
  }

  #around(node: Node): Topology {
    return {
      swarm: this.#nodes.length,
      neighbours: node.neighbours.size,
      ageS: this.#queue.now - node.startedAt,
    }
  }

  #introduce(one: Node, other: Node): void {
    one.neighbours.set(other.id, other)
    one.scheduler.join(other.id, LARGEST_BLOCK_BYTES, this.#queue.now)
    one.scheduler.describe(other.id, { largestBlock: LARGEST_BLOCK_BYTES, isSeeder: other === this.#seeder })
    one.scheduler.unchoked(other.id)
    if (one === this.#seeder) this.#superSeeding?.join(other.id, this.#queue.now)
  }

  readonly #greet = ({ a, b }: { a: Node; b: Node }): void => {
    this.#hear(b, a, this.#visible(a))
    this.#hear(a, b, this.#visible(b))
  }

  #visible(node: Node): Iterable<number> {
    return node === this.#seeder && !this.#showsAll ? [] : node.scheduler.have
  }

  /** `node` learns that `from` has `pieces`. `now` is the time if it has just got them. */
  #hear(node: Node, from: Node, pieces: Iterable<number>, now?: number): void {
    if (!node.alive || !from.alive) return
    let useful = false
    for (const piece of pieces) {
      useful = node.scheduler.peerHas(from.id, piece, now) || useful
      if (node === this.#seeder) this.#superSeeding?.peerHas(from.id, piece, this.#queue.now)
    }
    if (useful) this.#ask(node, from)
    if (node === this.#seeder) this.#reveal()
  }

  // ---- blocks

  #ask(node: Node, first?: Node): void {
    if (!node.alive) return
    for (const request of node.scheduler.nextRequests(this.#queue.now, first?.id)) {
      const from = node.neighbours.get(request.peer)
      if (!from) continue
      const delivery = { from, receiver: node, to: node.id, request, left: request.length }
      this.#queue.afterUsual(this.#options.latency, this.#serve, delivery)
    }
  }

  readonly #serve = (delivery: Delivery): void => {
    if (delivery.from.alive && delivery.receiver.alive) delivery.from.up.send(delivery)
  }

  /** A part of a block has left its sender: it goes through the receiver's link as it comes. */
  #sent(delivery: Delivery, bytes: number): void {
    const { from, receiver, request, left } = delivery
    if (!from.alive) return
    const passed = receiver.down.pass(bytes, this.#queue.now + this.#options.latency)
    if (left === 0) this.#queue.at(passed, this.#arrive, delivery)
    if (left > 0 || from !== this.#seeder || !this.#superSeeding) return
    this.#superSeeding.sent(receiver.id, request.piece, request.length, this.#queue.now)
    this.#reveal()
  }

  readonly #arrive = ({ receiver: node, from, request }: Delivery): void => {
    if (!node.alive) return
    node.received += request.length
    const arrival = node.scheduler.arrived(from.id, request, this.#queue.now)
    if (arrival) this.#takeBack(node, arrival.cancel)
    if (arrival?.complete) {
      node.scheduler.checked(request.piece, true)
      this.#announce(node, request.piece)
      if (node.scheduler.done && node.doneAt === undefined) {
        node.doneAt = this.#queue.now
        this.#waiting--
      }
    }
    this.#ask(node, from)
  }

  #takeBack(node: Node, requests: { peer: number; block: Block }[]): void {
    for (const { peer, block } of requests) {
      const isIt = ({ request }: Delivery) => request.piece === block.piece && request.offset === block.offset
      node.neighbours.get(peer)?.up.cancel(node.id, isIt)
    }
  }

  // ---- news

  #announce(node: Node, piece: number): void {
    node.news.push(piece)
    if (node.news.length === 1) this.#queue.afterUsual(COALESCE_S, this.#sendNews, node)
  }

  readonly #sendNews = (node: Node): void => {
    const { news } = node
    node.news = []
    const letters: Letter[] = []
    for (const to of node.neighbours.values()) {
      const fresh = this.#newTo(to, node, news)
      if (fresh.length === 0) continue
      node.up.spend(PACKET_BYTES + HAVE_BYTES * fresh.length)
      to.down.pass(PACKET_BYTES + HAVE_BYTES * fresh.length, this.#queue.now)
      letters.push({ to, news: fresh })
    }
    if (letters.length > 0)
      this.#queue.afterUsual(this.#options.latency, this.#newsArrived, { from: node, letters })
  }

  #newTo(other: Node, node: Node, news: number[]): number[] {
    if (node.scheduler.peerIsFull(other.id)) return []
    if (other === this.#seeder) return news
    return news.filter((piece) => !node.scheduler.peerHasPiece(other.id, piece))
  }

  readonly #newsArrived = ({ from, letters }: Post): void => {
    for (const { to, news } of letters) this.#hear(to, from, news, this.#queue.now)
  }

  #reveal(): void {
    if (this.#showsAll || !this.#superSeeding) return
    for (const { peer, piece } of this.#superSeeding.reveal(this.#queue.now)) {
      const to = this.#seeder.neighbours.get(peer)
      if (to) this.#show(to, [piece])
    }
    if (!this.#superSeeding.finished || this.#seeder.neighbours.size === 0) return
    this.#showsAll = true
    this.#seederSentFirst = this.#seeder.up.bytes
    const all = [...new PieceSet(this.#options.pieces).fill()]
    for (const other of this.#seeder.neighbours.values()) this.#show(other, all)
  }

  #show(to: Node, news: number[]): void {
    this.#queue.afterUsual(this.#options.latency, this.#newsArrived, {
      from: this.#seeder,
      letters: [{ to, news }],
    })
  }

  // ---- time

  readonly #tick = (node: Node): void => {
    if (!node.alive || node.doneAt !== undefined) return
    this.#takeBack(node, node.scheduler.tick(this.#queue.now))
    this.#ask(node)
    this.#openMore(node)
    this.#queue.afterUsual(TICK_S, this.#tick, node)
  }

  readonly #seederTick = (_: undefined): void => {
    this.#reveal()
    if (this.#waiting > 0) this.#queue.afterUsual(TICK_S, this.#seederTick, undefined)
  }

  readonly #die = (node: Node): void => {
    node.alive = false
    if (node.doneAt === undefined) this.#waiting--
    for (const other of node.neighbours.values()) other.up.drop(node.id)
    // The others notice by themselves: a dead server sends no goodbye. Their systems close the connections much later.
    this.#queue.afterUsual(CLOSE_S, this.#cut, node)
  }

  readonly #cut = (node: Node): void => {
    for (const other of node.neighbours.values()) {
      other.scheduler.leave(node.id)
      other.neighbours.delete(node.id)
      if (other === this.#seeder) this.#superSeeding?.leave(node.id)
    }
    this.#reveal()
  }
}
