import { type DeliveryMark, DeliveryRate } from './delivery-rate.ts'

/** The smallest block. The lengths of other blocks are multiples of it. */
export const UNIT_BYTES = 16 * 1024
/** Limit of a fair share. */
const LARGEST_SHARE_BYTES = 8 * 1024 * 1024
/** What a long way may take: 1 Gbit/s for 200 ms are 25 MB. */
const LARGEST_WINDOW_BYTES = 64 * 1024 * 1024
/** The window of a slow connection holds at most what the connection brings in this time. */
const MAX_QUEUE_S = 0.3
/** The window holds at least what comes in so many round trips: more than one, so that the rate can grow. */
const ROUND_TRIPS = 1.5
/** A way with at least this round trip is long: more bytes are on their way then than wait in queues. */
const LONG_WAY_S = 0.01
/**
 * Over a long way, as much is requested as it carries in so many round trips. One of them is under way, one waits at the sender while TCP
 * doubles its own window, and the rest makes up for a rate that was measured a round trip ago.
 */
const LONG_ROUND_TRIPS = 3
/** Requested over a long way before its rate is known. TCP itself takes several round trips to carry as much. */
const FIRST_LONG_BYTES = 128 * 1024
/** With one or two neighbours there is nobody to be fair to: the window of a long way holds at least this. */
const FIRST_OF_FEW_BYTES = 256 * 1024

/** Large blocks cost less, but so many should fit the window. */
const BLOCKS_IN_WINDOW = 2

/** What a window depends on besides its own connection. */
export interface WindowShare {
  /** How many bytes a second each connection should bring. */
  rate: number
  /** For how long the connection should be asked in advance. */
  aheadS: number
  /** The window has at least so many bytes, and at least one unit. */
  minBytes: number
  /** There are one or two neighbours in all. */
  isOfFew: boolean
}

/** The window that several connections to one neighbour have together (`../peers/subflows/flows.ts`). */
export interface FlowsWindow {
  bytes: number
  /** How long the blocks should be, so that several fit what one of the connections takes. */
  blockBytes: number
}

/**
 * How many bytes may be pending on one connection. All connections get the same share of what this peer can take, so that a
 * neighbour's uplink serves all its neighbours alike. A slow connection gets less. A long one gets as much as fills it: the
 * highest rate at which it has delivered, times its round trip, with head room (NOTES.md).
 */
export class RequestWindow {
  size = UNIT_BYTES
  /** From asking to getting a block, smoothed; 0 before the first answer. */
  latencyS = 0
  /** The shortest time so far from here to the neighbour and back. On a busy machine it is longer than the round trip. */
  roundTripS = Number.POSITIVE_INFINITY
  /** A lower bound of the round trip. */
  #leastS = 0
  /** From asking to getting a block, the least ever seen. */
  #minLatencyS = Number.POSITIVE_INFINITY
  /** Smoothed bytes a second. */
  #rate = 0
  /** Replaces the window that is computed here; undefined when there is one connection. */
  flows: FlowsWindow | undefined
  readonly #delivery = new DeliveryRate()

  /** Whether it is certain that the way is long. */
  get isLong(): boolean {
    return Math.min(this.#leastS, this.roundTripS) >= LONG_WAY_S
  }

  /** 0 until something is known. */
  get knownRoundTripS(): number {
    return Number.isFinite(this.roundTripS) ? this.roundTripS : 0
  }

  /** Something went to the neighbour and came back in `mostS`; at least `leastS` of that was on the network, if that is known. */
  measured(mostS: number, leastS = 0): void {
    this.roundTripS = Math.min(this.roundTripS, mostS)
    this.#leastS = Math.max(this.#leastS, leastS)
  }

  /** To be kept with a request, for `answered`. */
  mark(nowS: number): DeliveryMark {
    return this.#delivery.mark(nowS)
  }

  /** A block of `bytes` arrived. When it was asked for, `owedBytes` were pending, the block included. */
  answered(bytes: number, asked: DeliveryMark, owedBytes: number, nowS: number): void {
    const latencyS = nowS - asked.atS
    const rate = owedBytes / Math.max(latencyS, 1e-6)
    this.latencyS = this.latencyS === 0 ? latencyS : this.latencyS * 0.75 + latencyS * 0.25
    this.#rate = this.#rate === 0 ? rate : this.#rate * 0.75 + rate * 0.25
    this.#minLatencyS = Math.min(this.#minLatencyS, latencyS)
    this.measured(latencyS)
    this.#delivery.arrived(bytes, asked, nowS)
  }

  resize(share: WindowShare): void {
    if (this.flows) {
      this.size = Math.min(LARGEST_WINDOW_BYTES, this.flows.bytes)
      return
    }
    const leastOfLong = share.isOfFew
      ? FIRST_OF_FEW_BYTES
      : this.#isNewAndLong
        ? FIRST_LONG_BYTES
        : UNIT_BYTES
    const least = this.isLong ? leastOfLong : UNIT_BYTES
    const wanted = Math.max(this.#shareOf(share), this.#wayHolds(share.isOfFew))
    this.size = Math.max(least, share.minBytes, Math.min(LARGEST_WINDOW_BYTES, wanted))
  }

  /** The peer has stopped answering. */
  collapse(): void {
    this.size = 2 * UNIT_BYTES
    this.#rate = 0
    this.#delivery.forget()
  }

  /** Length of the blocks to ask for. The first answer over a long way should come soon. */
  blockLength(largest: number): number {
    if (this.#isNewAndLong) return UNIT_BYTES
    const most = Math.min(largest, this.flows?.blockBytes ?? this.size / BLOCKS_IN_WINDOW)
    let length = UNIT_BYTES
    while (length * 2 <= most) length *= 2
    return length
  }

  get #isNewAndLong(): boolean {
    return this.isLong && this.#rate === 0
  }

  #shareOf({ rate, aheadS }: WindowShare): number {
    if (this.#rate === 0) return this.size
    const wanted = Math.min(
      rate * Math.max(aheadS, ROUND_TRIPS * this.#minLatencyS),
      this.#rate * (this.#minLatencyS + MAX_QUEUE_S),
    )
    return Math.min(LARGEST_SHARE_BYTES, wanted)
  }

  #wayHolds(isOfFew: boolean): number {
    if (!this.isLong) return 0
    return this.#delivery.highest * (LONG_ROUND_TRIPS * this.roundTripS + (isOfFew ? MAX_QUEUE_S : 0))
  }
}
