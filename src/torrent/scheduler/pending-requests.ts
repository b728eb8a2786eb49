import type { Block, BlockRequest, PartialPiece } from './partial-piece.ts'
import type { PeerState } from './peer-state.ts'
import type { PiecePicker } from './piece-picker.ts'

/** A peer that owes blocks and sends none for this long, or for so many times the usual latency, loses them to others. */
const SILENT_S = 1
const SILENT_LATENCIES = 4
/** The same in round trips, because TCP may need several to resend lost packets. */
const SILENT_ROUND_TRIPS = 20

/** The requests that peers have not answered: each is known to its peer and to its piece. */
export class PendingRequests {
  readonly #peers: ReadonlyMap<number, PeerState>
  readonly #picker: PiecePicker

  constructor(peers: ReadonlyMap<number, PeerState>, picker: PiecePicker) {
    this.#peers = peers
    this.#picker = picker
  }

  add(peer: PeerState, block: Block, nowS: number): BlockRequest {
    const request = peer.add(block, nowS)
    this.#picker.partials.get(block.piece)?.requests.push(request)
    return request
  }

  /** The request was answered, or is not needed any more. */
  drop(request: BlockRequest, peer = this.#peers.get(request.peer)): void {
    peer?.remove(request)
    this.#picker.partials.get(request.piece)?.drop(request)
  }

  /** The request will not be answered: its block is free again. */
  release(request: BlockRequest, peer?: PeerState): void {
    this.drop(request, peer)
    const partial = this.#picker.partials.get(request.piece)
    if (!partial) return
    partial.release(request)
    this.#picker.released(partial)
  }

  releaseAll(peer: PeerState): void {
    for (const request of [...peer.requests]) this.release(request, peer)
  }

  /** Drops the bytes of a partial piece. Returns the requests that were given up. */
  restart(partial: PartialPiece): BlockRequest[] {
    const requests = [...partial.requests]
    for (const request of requests) this.drop(request)
    partial.restart()
    this.#picker.released(partial)
    return requests
  }

  /** Gives up the requests to peers that stopped answering. `usualS` is the smoothed latency of all peers. */
  expire(usualS: number, nowS: number): BlockRequest[] {
    const expired: BlockRequest[] = []
    const leastS = Math.max(SILENT_S, SILENT_LATENCIES * usualS)
    for (const peer of this.#peers.values()) {
      const { roundTripS, isLong } = peer.window
      const timeoutS = isLong ? Math.max(leastS, SILENT_ROUND_TRIPS * roundTripS) : leastS
      if (peer.requests.length === 0 || nowS - peer.lastAnswerAtS < timeoutS) continue
      expired.push(...peer.requests)
      this.releaseAll(peer)
      peer.stoppedAnswering(nowS)
    }
    return expired
  }
}
