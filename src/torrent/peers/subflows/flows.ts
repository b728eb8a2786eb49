import { type DeliveryMark, DeliveryRate } from '../../scheduler/delivery-rate.ts'
import type { Block } from '../../scheduler/partial-piece.ts'
import { type FlowsWindow, UNIT_BYTES } from '../../scheduler/request-window.ts'
import type { PeerWire } from '../../wire/peer-wire.ts'

/** The least that is requested over one of several connections: more than TCP sends in its first three round trips. */
const MIN_BYTES = 64 * 1024
/** Each of several connections has requests for what it delivers in so many round trips. */
const ROUND_TRIPS = 3
/** How many blocks should fit into the requests over one of several connections. */
const BLOCKS_IN_WINDOW = 4
/** A block moves to an idle connection if it comes so many times sooner there. */
const MIN_SPEEDUP = 3

/** One of the connections to a neighbour, and the requests over it. */
class Flow {
  readonly wire: PeerWire
  /** It will end, so it gets no more requests. */
  isStopped = false
  owedBytes = 0
  readonly #asked = new Map<number, { block: Block; mark: DeliveryMark }>()
  readonly #delivery = new DeliveryRate()
  /** Smoothed bytes a second; 0 before the first answer. */
  #rate = 0
  /** When it last delivered a block, or got a request while nothing was pending. */
  #progressAtS = 0
  constructor(wire: PeerWire) {
    this.wire = wire
  }

  /** Bytes that should be pending over it. */
  windowBytes(roundTripS: number): number {
    return this.isStopped ? this.owedBytes : Math.max(MIN_BYTES, this.#rate * ROUND_TRIPS * roundTripS)
  }

  get asked(): Block[] {
    return [...this.#asked.values()].map(({ block }) => block)
  }

  /** How long a block takes to arrive. */
  takesS({ length }: Block): number {
    return this.#rate > 0 ? length / this.#rate : 0
  }

  /** The block that was requested last. */
  get last(): Block | undefined {
    return [...this.#asked.values()].at(-1)?.block
  }

  /** How long it has owed blocks without delivering any. */
  stuckS(nowS: number): number {
    return this.owedBytes > 0 ? nowS - this.#progressAtS : 0
  }

  /** How long its last block will still take, or has been overdue. */
  waitS(nowS: number): number {
    return Math.max(this.#rate > 0 ? this.owedBytes / this.#rate : 0, this.stuckS(nowS))
  }

  ask(block: Block, nowS: number): void {
    if (this.owedBytes === 0) this.#progressAtS = nowS
    this.wire.request(block.piece, block.offset, block.length)
    this.owedBytes += block.length
    this.#asked.set(keyOf(block), { block, mark: this.#delivery.mark(nowS) })
  }

  /** Whether the block is requested over this connection. */
  forget(block: Block): DeliveryMark | undefined {
    const key = keyOf(block)
    const found = this.#asked.get(key)
    if (found?.block.length !== block.length) return undefined
    this.#asked.delete(key)
    this.owedBytes -= block.length
    return found.mark
  }

  /** Returns false when the block is not, or no longer, requested over this connection. */
  arrived(block: Block, nowS: number): boolean {
    const mark = this.forget(block)
    if (!mark) return false
    this.#progressAtS = nowS
    const rate = this.#delivery.arrived(block.length, mark, nowS)
    this.#rate = this.#rate === 0 ? rate : this.#rate * 0.75 + rate * 0.25
    return true
  }
}

/**
 * The connections to one neighbour: the first, and over a long path perhaps more (`subflows.ts`). Each has requests for what it
 * delivers in some round trips. Each block is requested over the connection that has the smallest part of that pending. So no
 * connection gets more than it carries: requests over one that waits for lost packets wait with it.
 */
export class Flows {
  readonly #flows: [Flow, ...Flow[]]
  #roundTripS = 0

  constructor(wire: PeerWire) {
    this.#flows = [new Flow(wire)]
  }

  add(wire: PeerWire): void {
    this.#flows.push(new Flow(wire))
  }

  /** No more requests go over this connection. */
  stop(wire: PeerWire): void {
    const flow = this.#of(wire)
    if (flow) flow.isStopped = true
  }

  /** An added connection has ended. Returns its unanswered requests. */
  remove(wire: PeerWire): Block[] {
    const flow = this.#of(wire)
    if (flow) this.#flows.splice(this.#flows.indexOf(flow), 1)
    return flow?.asked ?? []
  }

  owedOver(wire: PeerWire): number {
    return this.#of(wire)?.owedBytes ?? 0
  }

  /** A flow that has owed blocks for longer than `limitS` and delivered none. */
  stuck(limitS: number, nowS: number): PeerWire | undefined {
    return this.#flows.find((flow) => flow.stuckS(nowS) > limitS)?.wire
  }

  /** Bytes that should be pending over all of them, and the block length; undefined when there is only one connection. */
  window(roundTripS: number): FlowsWindow | undefined {
    this.#roundTripS = roundTripS
    if (this.#flows.length === 1) return undefined
    let bytes = 0
    let smallest = Number.POSITIVE_INFINITY
    for (const flow of this.#flows) {
      const own = flow.windowBytes(roundTripS)
      bytes += own
      if (!flow.isStopped) smallest = Math.min(smallest, own)
    }
    return { bytes, blockBytes: smallest / BLOCKS_IN_WINDOW }
  }

  request(block: Block, nowS: number): void {
    this.#emptiest().ask(block, nowS)
  }

  cancel(block: Block): void {
    for (const flow of this.#flows)
      if (flow.forget(block)) flow.wire.cancel(block.piece, block.offset, block.length)
  }

  arrived(wire: PeerWire, block: Block, nowS: number): void {
    if (!this.#of(wire)?.arrived(block, nowS)) this.cancel(block)
  }

  /**
   * When nothing is left to request (`isEnd`), idle connections take over blocks from the slowest ones. So the end does not wait
   * for a connection that waits for lost packets. Before, one is idle because requests to other sites are rationed, and what it
   * took over would mostly come twice.
   */
  balance(nowS: number, isEnd: boolean): void {
    if (!isEnd) return
    for (const idle of this.#flows) {
      if (idle.owedBytes > 0 || idle.isStopped) continue
      const waitS = (flow: Flow) => flow.waitS(nowS)
      const slowest = this.#flows.reduce((a, b) => (waitS(b) > waitS(a) ? b : a))
      const block = slowest.last
      if (!block || waitS(slowest) < MIN_SPEEDUP * (this.#roundTripS + idle.takesS(block))) continue
      slowest.forget(block)
      slowest.wire.cancel(block.piece, block.offset, block.length)
      idle.ask(block, nowS)
    }
  }

  rejected(wire: PeerWire, block: Block): void {
    this.#of(wire)?.forget(block)
  }

  #of(wire: PeerWire): Flow | undefined {
    const [first] = this.#flows
    if (first.wire === wire) return first
    return this.#flows.find((flow) => flow.wire === wire)
  }

  #emptiest(): Flow {
    if (this.#flows.length === 1) return this.#flows[0]
    let best = this.#flows[0]
    let least = Number.POSITIVE_INFINITY
    for (const flow of this.#flows) {
      const share = flow.isStopped
        ? Number.POSITIVE_INFINITY
        : flow.owedBytes / flow.windowBytes(this.#roundTripS)
      if (share < least) [best, least] = [flow, share]
    }
    return best
  }
}

/** A piece has fewer units than this. */
const MAX_UNITS = 2 ** 20

const keyOf = ({ piece, offset }: Block): number => piece * MAX_UNITS + offset / UNIT_BYTES
