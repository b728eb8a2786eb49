import { type Block, type BlockRequest, overlaps, type PartialPiece } from './partial-piece.ts'
import type { PeerState } from './peer-state.ts'

/** A request that is pending for this long, or for so many times the usual latency, may never be answered. */
const OVERDUE_S = 0.5
const OVERDUE_LATENCIES = 3
/** A block is requested from a second peer only if it would come so many times sooner. */
const MIN_SPEEDUP = 2

/**
 * The end game (BEP 3). Of the blocks that other peers owe, picks the one that will come last, if `peer` can send it much sooner
 * and no second peer was asked for it yet. `usualS` is the smoothed latency of all peers.
 */
export function lateBlock(
  peer: PeerState,
  partials: Iterable<PartialPiece>,
  peers: ReadonlyMap<number, PeerState>,
  nowS: number,
  usualS: number,
): Block | undefined {
  let latest: BlockRequest | undefined
  let longestS = peer.window.latencyS * MIN_SPEEDUP
  for (const partial of partials) {
    if (partial.singleSource || !peer.has.has(partial.piece)) continue
    for (const request of partial.requests) {
      if (request.peer === peer.id) continue
      const waitS = expectedWaitS(request, peers.get(request.peer), nowS, usualS)
      if (
        waitS <= longestS ||
        partial.requests.some((other) => other !== request && overlaps(other, request))
      )
        continue
      latest = request
      longestS = waitS
    }
  }
  if (!latest) return undefined
  const { piece, offset, length } = latest
  return { piece, offset, length: Math.min(length, peer.largestBlock) }
}

/** Time until the block should arrive. An overdue block may never come. */
function expectedWaitS(
  request: BlockRequest,
  owner: PeerState | undefined,
  nowS: number,
  usualS: number,
): number {
  const ageS = nowS - request.askedAtS
  const ownS = owner?.window.latencyS ?? 0
  // A latency that is usual in our own site is too short for a long way.
  const latencyS = owner?.isNear === false ? Math.max(usualS, ownS) : usualS
  if (ageS > Math.max(OVERDUE_S, OVERDUE_LATENCIES * latencyS)) return Number.POSITIVE_INFINITY
  return Math.max(0, ownS - ageS)
}
