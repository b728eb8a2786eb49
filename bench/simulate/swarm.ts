import { FirstCopies } from '../../src/torrent/scheduler/first-copies.ts'
import type { Block } from '../../src/torrent/scheduler/partial.ts'
import { PieceSet } from '../../src/torrent/scheduler/piece-set.ts'
import { Scheduler } from '../../src/torrent/scheduler/scheduler.ts'
import { EventQueue } from './event-queue.ts'
import { Link } from './link.ts'

const LARGEST_BLOCK = 128 * 1024
const TICK = 0.1
const TELL_DELAY = 0.005
const MESH = 32

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
  /** Servers that vanish, and when (seconds). */
  deaths?: Map<number, number>
  random: () => number
}

export interface SwarmResult {
  /** Seconds at which each server that lives was done. */
  doneAt: number[]
  /** Bytes sent by the seeder, in all and until every piece had left it. */
  seederSent: number
  seederSentFirst: number
  /** Bytes received twice, all servers. */
  twice: number
  /** Servers that live and never got everything. */
  unfinished: number
}

class Node {
  readonly scheduler: Scheduler
  readonly neighbours = new Map<number, Node>()
  readonly up: Link
  readonly down: Link
  alive = true
  doneAt: number | undefined
  received = 0
  news: number[] = []
  readonly id: number

  constructor(id: number, queue: EventQueue, options: SwarmOptions) {
    const { pieces, pieceLength, random } = options
    this.id = id
    this.scheduler = new Scheduler({ length: pieces * pieceLength, pieceLength, random })
    this.up = new Link(queue, options.rate(id))
    this.down = new Link(queue, options.rate(id))
  }
}

/** Runs a whole swarm in simulated time: the scheduler of every server is the one that the agent runs. */
export function simulate(options: SwarmOptions): SwarmResult {
  const queue = new EventQueue()
  const { pieces, pieceLength, servers, latency, random } = options
  const nodes = Array.from({ length: servers + 1 }, (_, id) => new Node(id, queue, options))
  const seeder = nodes[0] as Node
  for (let piece = 0; piece < pieces; piece++) seeder.scheduler.alreadyHave(piece)
  const firstCopies = servers > 1 ? new FirstCopies(pieces, () => pieceLength) : undefined
  let showsAll = firstCopies === undefined
  let seederSentFirst = 0
  let waiting = servers

  function start(node: Node): void {
    const others = nodes
      .slice(0, servers + 1)
      .filter((other) => other.alive && other !== node && started.has(other.id))
    shuffle(others, random)
    for (const other of others) {
      if (node.neighbours.size >= MESH) break
      if (other.neighbours.size < MESH * 2) link(node, other)
    }
    started.add(node.id)
    if (node !== seeder) every(node)
  }

  function link(a: Node, b: Node): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      one.neighbours.set(other.id, other)
      one.scheduler.join(other.id, LARGEST_BLOCK, queue.now)
      one.scheduler.describe(other.id, { largestBlock: LARGEST_BLOCK, source: other === seeder })
      one.scheduler.unchoked(other.id)
      if (one === seeder) firstCopies?.join(other.id, queue.now)
    }
    queue.after(latency, () => {
      tell(a, b, a === seeder && !showsAll ? [] : [...a.scheduler.have])
      tell(b, a, b === seeder && !showsAll ? [] : [...b.scheduler.have])
      reveal()
    })
  }

  function tell(from: Node, to: Node, news: Iterable<number>): void {
    if (!to.alive || !from.alive) return
    let useful = false
    for (const piece of news) {
      useful = to.scheduler.peerHas(from.id, piece) || useful
      if (to === seeder) firstCopies?.peerHas(from.id, piece, queue.now)
    }
    if (useful) ask(to, from)
    if (to === seeder) reveal()
  }

  function ask(node: Node, first?: Node): void {
    if (!node.alive) return
    for (const flight of node.scheduler.ask(queue.now, first?.id)) {
      const from = node.neighbours.get(flight.peer)
      if (from) queue.after(latency, () => serve(from, node, flight))
    }
  }

  function serve(from: Node, to: Node, block: Block): void {
    if (!from.alive || !to.alive) return
    from.up.send(to.id, block.length, () => {
      if (!from.alive) return
      if (from === seeder) sentBySeeder(to, block)
      queue.after(latency, () => to.down.send(from.id, block.length, () => arrive(to, from, block)))
    })
  }

  function sentBySeeder(to: Node, block: Block): void {
    if (!firstCopies) return
    firstCopies.sent(to.id, block.piece, block.length, queue.now)
    if (!showsAll) reveal()
  }

  function arrive(node: Node, from: Node, block: Block): void {
    if (!node.alive) return
    node.received += block.length
    const arrival = node.scheduler.arrived(from.id, block, queue.now)
    if (arrival?.complete) {
      node.scheduler.checked(block.piece, true)
      announce(node, block.piece)
      if (node.scheduler.done && node.doneAt === undefined) {
        node.doneAt = queue.now
        waiting--
      }
    }
    ask(node, from)
  }

  function announce(node: Node, piece: number): void {
    node.news.push(piece)
    if (node.news.length > 1) return
    queue.after(TELL_DELAY, () => {
      const { news } = node
      node.news = []
      for (const other of node.neighbours.values()) {
        if (node.scheduler.peerIsFull(other.id)) continue
        const fresh = other === seeder ? news : news.filter((p) => !node.scheduler.peerHasPiece(other.id, p))
        if (fresh.length > 0) queue.after(latency, () => tell(node, other, fresh))
      }
    })
  }

  function reveal(): void {
    if (showsAll || !firstCopies) return
    for (const { peer, piece } of firstCopies.reveal(queue.now)) {
      const to = seeder.neighbours.get(peer)
      if (to) show(to, [piece])
    }
    if (!firstCopies.finished || seeder.neighbours.size === 0) return
    showsAll = true
    seederSentFirst = seeder.up.bytes
    for (const other of seeder.neighbours.values()) show(other, new PieceSet(pieces).fill())
  }

  function show(to: Node, news: Iterable<number>): void {
    const list = [...news]
    if (list.length > 0) queue.after(latency, () => tell(seeder, to, list))
  }

  function every(node: Node): void {
    if (!node.alive || node.doneAt !== undefined) return
    node.scheduler.tick(queue.now)
    ask(node)
    queue.after(TICK, () => every(node))
  }

  function die(node: Node): void {
    node.alive = false
    if (node.doneAt === undefined) waiting--
    // The others notice by themselves: a cut link sends no goodbye. Their system closes it much later.
    queue.after(5, () => {
      for (const other of node.neighbours.values()) {
        other.scheduler.leave(node.id)
        other.neighbours.delete(node.id)
        if (other === seeder) firstCopies?.leave(node.id)
      }
      reveal()
    })
  }

  const started = new Set<number>([0])
  for (let id = 1; id <= servers; id++) {
    queue.after(options.startAt?.(id) ?? 0, () => start(nodes[id] as Node))
  }
  for (const [id, at] of options.deaths ?? []) queue.after(at, () => die(nodes[id] as Node))
  const beat = () => {
    reveal()
    if (waiting > 0) queue.after(TICK, beat)
  }
  beat()
  const limit = 200 * ((pieces * pieceLength) / options.rate(1))
  while (waiting > 0 && queue.now < limit && queue.step());

  const living = nodes.slice(1).filter((node) => node.alive)
  const total = pieces * pieceLength
  return {
    doneAt: living.flatMap((node) => node.doneAt ?? []),
    seederSent: seeder.up.bytes,
    seederSentFirst: showsAll && firstCopies ? seederSentFirst : seeder.up.bytes,
    twice: living.reduce(
      (sum, node) => sum + Math.max(0, node.received - (node.doneAt === undefined ? 0 : total)),
      0,
    ),
    unfinished: living.filter((node) => node.doneAt === undefined).length,
  }
}

function shuffle<T>(items: T[], random: () => number): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[items[at], items[other]] = [items[other] as T, items[at] as T]
  }
}
