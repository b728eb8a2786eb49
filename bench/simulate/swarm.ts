import type { Block, BlockRequest } from '../../src/torrent/scheduler/partial-piece.ts'
import { PieceSet } from '../../src/torrent/scheduler/piece-set.ts'
import { Scheduler } from '../../src/torrent/scheduler/scheduler.ts'
import { SuperSeeding } from '../../src/torrent/scheduler/super-seeding/super-seeding.ts'
import { accepts, isMesh, type Topology, toOpen } from '../../src/torrent/scheduler/topology.ts'
import { SiteRoster } from '../../src/torrent/tracker/sites/site-roster.ts'
import { coalesceMsFor } from '../../src/torrent/wire/coalescing.ts'
import { EventQueue } from './event-queue.ts'
import { Downlink, SiteLinks, type Transfer, Uplink } from './link.ts'

const LARGEST_BLOCK_BYTES = 128 * 1024
/** Peers in one answer of the tracker, as in peers/discovery.ts. */
const PEERS_WANTED = 50
/** The same as in tracker/announcer.ts. */
const SECOND_ANNOUNCE_S = 2
const TICK_S = 0.1
/** A packet of HAVEs without them, with its headers and its acknowledgement. */
const PACKET_BYTES = 120
const HAVE_BYTES = 9
const PACKET_CONTENT_BYTES = 1448
/** After so long a system closes the connections of a server that vanished. */
const CLOSE_S = 5
/** The same as in uploader.ts. */
const LATE_NEWS_S = 2

export interface SwarmOptions {
  servers: number
  pieces: number
  pieceLength: number
  /** Bytes a second of each server's link, both ways; the seeder is number 0. */
  rate: (server: number) => number
  /** One-way seconds between any two, of one site if there are several. */
  latency: number
  sites?: SiteOptions
  /** Seconds at which each server starts. */
  startAt?: (server: number) => number
  /** Seconds at which servers vanish, by their numbers. */
  deaths?: Map<number, number>
  /** Servers that no other one reaches, or trusts: they have the seeder alone. */
  alone?: ReadonlySet<number>
  random: () => number
}

export interface SiteOptions {
  /** The number of servers in each; the seeder is in the first. */
  servers: readonly number[]
  /** Bytes a second of each site's long links, one for each way. */
  rate: number
  /** One-way seconds between two sites. */
  latency: number
  /** The share of packets that is lost between two sites. */
  loss: number
  /** Whether the servers know the names of all sites, or only who is near. */
  named: boolean
}

export interface SwarmResult {
  /** Bytes over the long links of each site. */
  sites: { into: number; out: number }[]
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

/** Some bytes of a delivery on their way. */
interface Part {
  delivery: Delivery
  bytes: number
  isLast: boolean
}

/** HAVEs that `from` sends to some of its neighbours at the same time. */
interface Post {
  from: Node
  letters: Letter[]
}

interface Letter {
  to: Node
  news: readonly number[]
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
  /** It collects its HAVEs for so long before it sends them. */
  newsWaitS = 0
  /** Pieces of which other sites hear later. */
  readonly lateNews = new Set<number>()
  startedAt = 0
  /** Named by the tracker and not dialed yet. */
  known: Node[] = []
  /** Its number among the leaders of its site, where the swarm has any. */
  rank: number | undefined
  readonly id: number
  /** The number of its site. */
  readonly site: number
  readonly key: string
  /** When the last bytes come that are on their way from each server of another site. */
  readonly inOrderAt = new Map<number, number>()

  constructor(id: number, site: number, options: SwarmOptions, up: Uplink<Delivery>) {
    const { pieces, pieceLength, random, sites } = options
    this.id = id
    this.site = site
    const key = `${site}/${id}`
    this.key = key
    const own = sites?.named ? { site: nameOf(site), key, seederSite: nameOf(0) } : { key }
    this.scheduler = new Scheduler({ length: pieces * pieceLength, pieceLength, random, own })
    if (id === 0) for (let piece = 0; piece < pieces; piece++) this.scheduler.alreadyHave(piece)
    this.up = up
    this.down = new Downlink(options.rate(id))
  }
}

const nameOf = (site: number) => `site${site}`

/** The number of the site of each participant. */
function sitesOf({ servers, sites }: SwarmOptions): number[] {
  if (!sites) return Array.from({ length: servers + 1 }, () => 0)
  return [0, ...sites.servers.flatMap((count, site) => Array.from({ length: count }, () => site))]
}

/** Runs a whole swarm in simulated time. The scheduler of every server is the one that the agent runs. */
export function simulate(options: SwarmOptions): SwarmResult {
  return new Swarm(options).run()
}

class Swarm {
  readonly #queue = new EventQueue()
  readonly #options: SwarmOptions
  readonly #nodes: Node[]
  readonly #links: SiteLinks[]
  /** Where the swarm is too large to be a mesh and its sites are named. */
  readonly #roster: SiteRoster<Node> | undefined
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
    this.#links = (options.sites?.servers ?? []).map(() => new SiteLinks(options.sites?.rate ?? 0))
    this.#nodes = sitesOf(options).map((site, id) => this.#makeNode(id, site))
    this.#seeder = this.#nodes[0] as Node
    this.#roster = options.sites?.named && !isMesh(this.#nodes.length) ? new SiteRoster() : undefined
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
    const rate = Math.min(options.rate(1), options.sites?.rate ?? Number.POSITIVE_INFINITY)
    const limit = 200 * ((options.pieces * options.pieceLength) / rate)
    while (this.#waiting > 0 && queue.now < limit && queue.step());
    return this.#result()
  }

  #result(): SwarmResult {
    const { pieces, pieceLength } = this.#options
    const peers = this.#nodes.slice(1)
    const whole = peers.filter(({ alive, doneAt }) => alive && doneAt !== undefined)
    return {
      sites: this.#links.map(({ inBytes, outBytes }) => ({ into: inBytes, out: outBytes })),
      doneAt: peers.map(({ alive, doneAt }) => (alive ? doneAt : undefined)),
      seederSent: this.#seeder.up.bytes,
      seederSentFirst: this.#seederSentFirst || this.#seeder.up.bytes,
      twice: whole.reduce((sum, { received }) => sum + received - pieces * pieceLength, 0),
      unfinished: peers.filter(({ alive, doneAt }) => alive && doneAt === undefined).length,
    }
  }

  #makeNode(id: number, site: number): Node {
    const sent = (delivery: Delivery, bytes: number) => this.#sent(delivery, bytes)
    return new Node(id, site, this.#options, new Uplink(this.#queue, this.#options.rate(id), sent))
  }

  // ---- neighbours

  readonly #start = (node: Node): void => {
    if (!node.alive) return
    node.startedAt = this.#queue.now
    node.scheduler.setSwarmSize(this.#nodes.length)
    node.newsWaitS = coalesceMsFor(node.scheduler.aheadS * 1000, this.#options.sites?.named) / 1000
    if (this.#roster) this.#guide(node, this.#roster)
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
    if (this.#roster) this.#guide(node, this.#roster)
    this.#openMore(node)
  }

  #guide(node: Node, roster: SiteRoster<Node>): void {
    const { rank, partners = [] } = roster.came(node, nameOf(node.site), false) ?? {}
    node.rank = rank
    node.scheduler.sites.ledAs(rank)
    node.known = this.#someOfSite(node)
    for (const partner of partners) if (partner.alive) this.#connect(node, partner)
  }

  /** The tracker names peers of one site to each other. */
  #someOfSite(node: Node): Node[] {
    const here = this.#started.filter(
      (other) => other.site === node.site && other !== this.#seeder && other !== node,
    )
    if (here.length === 0) return []
    return Array.from(
      { length: PEERS_WANTED },
      () => here[Math.floor(this.#options.random() * here.length)] as Node,
    )
  }

  #openMore(node: Node): void {
    for (let count = toOpen(this.#around(node)); count > 0; count--) {
      const other = node.known.pop()
      if (!other) return
      if (other.alive) this.#connect(node, other)
    }
  }

  #connect(from: Node, to: Node): void {
    const { alone } = this.#options
    if (
      from.neighbours.has(to.id) ||
      (to !== this.#seeder && (alone?.has(from.id) || alone?.has(to.id))) ||
      !this.#mayCross(from, to) ||
      !accepts(this.#around(to), { seeder: to === this.#seeder, agent: true })
    )
      return
    this.#introduce(from, to)
    this.#introduce(to, from)
    this.#queue.afterUsual(this.#latency(from, to), this.#greet, { a: from, b: to })
  }

  #around(node: Node): Topology {
    return {
      swarm: this.#nodes.length,
      neighbours: node.rank === undefined ? this.#ordinaryAround(node) : node.neighbours.size,
      ageS: this.#queue.now - node.startedAt,
      leads: node.rank !== undefined,
    }
  }

  #ordinaryAround(node: Node): number {
    let count = 0
    for (const { rank } of node.neighbours.values()) if (rank === undefined) count++
    return count
  }

  /** In a larger swarm only leaders are connected to other sites. */
  #mayCross(one: Node, other: Node): boolean {
    if (!this.#roster || one.site === other.site) return true
    return [one, other].every((node) => node === this.#seeder || node.rank !== undefined)
  }

  #introduce(one: Node, other: Node): void {
    one.neighbours.set(other.id, other)
    one.scheduler.join(other.id, LARGEST_BLOCK_BYTES, this.#queue.now)
    one.scheduler.describe(other.id, { largestBlock: LARGEST_BLOCK_BYTES, isSeeder: other === this.#seeder })
    one.scheduler.unchoked(other.id)
    if (one === this.#seeder) this.#superSeeding?.join(other.id, this.#queue.now)
    const roundTripS = 2 * this.#latency(one, other)
    one.scheduler.measured(other.id, roundTripS, roundTripS)
    if (!this.#options.sites) return
    const isNear = one.site === other.site
    const site = this.#options.sites.named ? nameOf(other.site) : undefined
    one.scheduler.locate(other.id, { isNear, site, key: other.key, rank: other.rank })
    if (one === this.#seeder) this.#superSeeding?.locate(other.id, isNear)
  }

  #latency(one: Node, other: Node): number {
    const { sites, latency } = this.#options
    return sites && one.site !== other.site ? sites.latency : latency
  }

  readonly #greet = ({ a, b }: { a: Node; b: Node }): void => {
    this.#hear(b, a, this.#visible(a))
    this.#hear(a, b, this.#visible(b))
    if (a.site !== b.site) return
    for (const piece of a.scheduler.importsUnderWay) b.scheduler.peerImports(a.id, piece, this.#queue.now)
    for (const piece of b.scheduler.importsUnderWay) a.scheduler.peerImports(b.id, piece, this.#queue.now)
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
      this.#queue.afterUsual(this.#latency(node, from), this.#serve, delivery)
    }
    const imports = node.scheduler.takeImports()
    if (imports.length === 0) return
    for (const to of node.neighbours.values())
      if (to.site === node.site)
        this.#queue.afterUsual(this.#options.latency, this.#importHeard, { from: node, to, news: imports })
  }

  readonly #importHeard = ({ from, to, news }: Letter & { from: Node }): void => {
    for (const piece of news) to.scheduler.peerImports(from.id, piece, this.#queue.now)
  }

  readonly #serve = (delivery: Delivery): void => {
    if (delivery.from.alive && delivery.receiver.alive) delivery.from.up.send(delivery)
  }

  /** A part of a block has left its sender: it goes through the receiver's link as it comes. */
  #sent(delivery: Delivery, bytes: number): void {
    const { from, receiver, request, left } = delivery
    if (!from.alive) return
    const isLast = left === 0
    if (from.site === receiver.site)
      this.#comes(delivery, bytes, isLast, this.#queue.now + this.#options.latency)
    else this.#leavesSite({ delivery, bytes, isLast })
    if (left > 0 || from !== this.#seeder || !this.#superSeeding) return
    this.#superSeeding.sent(receiver.id, request.piece, request.length, this.#queue.now)
    this.#reveal()
  }

  #comes(delivery: Delivery, bytes: number, isLast: boolean, time: number): void {
    const passed = delivery.receiver.down.pass(bytes, time)
    if (isLast) this.#queue.at(passed, this.#arrive, delivery)
  }

  /** Through the long link of the sender's site, then over the distance, then through that of the receiver's site. */
  #leavesSite(part: Part): void {
    const links = this.#links[part.delivery.from.site] as SiteLinks
    links.outBytes += part.bytes
    const left = links.out.pass(part.bytes, this.#queue.now)
    this.#queue.at(left + (this.#options.sites?.latency ?? 0), this.#reachesSite, part)
  }

  /** TCP keeps the order: what is behind a lost packet waits for a round trip until that came again. */
  readonly #reachesSite = (part: Part): void => {
    const { from, receiver } = part.delivery
    const links = this.#links[receiver.site] as SiteLinks
    const isLost = this.#isLost(part.bytes)
    const bytes = part.bytes + (isLost ? PACKET_CONTENT_BYTES : 0)
    links.inBytes += bytes
    const passed = links.into.pass(bytes, this.#queue.now) + (isLost ? 2 * this.#latency(from, receiver) : 0)
    const inOrder = Math.max(passed, receiver.inOrderAt.get(from.id) ?? 0)
    receiver.inOrderAt.set(from.id, inOrder)
    this.#queue.at(inOrder, this.#passedSite, part)
  }

  /** Whether one of the packets is lost. */
  #isLost(bytes: number): boolean {
    const { loss } = this.#options.sites as SiteOptions
    return loss > 0 && this.#options.random() > (1 - loss) ** (bytes / PACKET_CONTENT_BYTES)
  }

  readonly #passedSite = ({ delivery, bytes, isLast }: Part): void =>
    this.#comes(delivery, bytes, isLast, this.#queue.now)

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

  #takeBack(node: Node, requests: readonly { peer: number; block: Block }[]): void {
    for (const { peer, block } of requests) {
      const isIt = ({ request }: Delivery) => request.piece === block.piece && request.offset === block.offset
      node.neighbours.get(peer)?.up.cancel(node.id, isIt)
    }
  }

  // ---- news

  #announce(node: Node, piece: number): void {
    if (!node.scheduler.isNewsElsewhere(piece)) this.#announceLater(node, piece)
    node.news.push(piece)
    if (node.news.length === 1) this.#queue.afterUsual(node.newsWaitS, this.#sendNews, node)
  }

  #announceLater(node: Node, piece: number): void {
    if (node.lateNews.size === 0) this.#queue.afterUsual(LATE_NEWS_S, this.#sendLateNews, node)
    node.lateNews.add(piece)
  }

  readonly #sendNews = (node: Node): void => {
    const { news } = node
    node.news = []
    const urgent = news.filter((piece) => !node.lateNews.has(piece))
    this.#tell(node, (to) => (to.site === node.site || to === this.#seeder ? news : urgent))
  }

  readonly #sendLateNews = (node: Node): void => {
    const news = [...node.lateNews]
    node.lateNews.clear()
    this.#tell(node, (to) => (to.site === node.site || to === this.#seeder ? [] : news))
  }

  #tell(node: Node, newsFor: (to: Node) => readonly number[]): void {
    const letters: Letter[] = []
    const farLetters: Letter[] = []
    const bitfieldBytes = this.#options.pieces / 8
    for (const to of node.neighbours.values()) {
      const fresh = this.#newTo(to, node, newsFor(to))
      if (fresh.length === 0) continue
      const bytes = PACKET_BYTES + Math.min(bitfieldBytes, HAVE_BYTES * fresh.length)
      node.up.spend(bytes)
      to.down.pass(bytes, this.#queue.now)
      if (node.site === to.site) letters.push({ to, news: fresh })
      else {
        this.#crosses(node, to, bytes)
        farLetters.push({ to, news: fresh })
      }
    }
    this.#post(node, letters, this.#options.latency)
    this.#post(node, farLetters, this.#options.sites?.latency ?? 0)
  }

  #post(from: Node, letters: Letter[], latency: number): void {
    if (letters.length > 0) this.#queue.afterUsual(latency, this.#newsArrived, { from, letters })
  }

  /** Small messages between two sites. They take room on the long links. */
  #crosses(from: Node, to: Node, bytes: number): void {
    const [one, other] = [this.#links[from.site] as SiteLinks, this.#links[to.site] as SiteLinks]
    one.outBytes += bytes
    other.inBytes += bytes
    one.out.pass(bytes, this.#queue.now)
    other.into.pass(bytes, this.#queue.now)
  }

  #newTo(other: Node, node: Node, news: readonly number[]): readonly number[] {
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

  #show(to: Node, news: readonly number[]): void {
    this.#post(this.#seeder, [{ to, news }], this.#latency(this.#seeder, to))
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
