import { type Block, type Flight, overlaps, type PartialPiece } from './partial-piece.ts'
import type { PeerState } from './peer-state.ts'

/** A block may be asked of a second peer when it is this old (seconds), or this many times older than usual. */
const LATE = 0.5
const LATE_TIMES = 3
/** It may be asked of a peer that will have sent it this many times sooner. */
const SOONER_TIMES = 2

/**
 * Of the blocks that others owe, the one that will come last, if `peer` can send it much sooner and nobody else was asked
 * for it already. `usual` is the smoothed latency of all peers (seconds).
 */
export function lateBlock(
  peer: PeerState,
  partials: Iterable<PartialPiece>,
  peers: ReadonlyMap<number, PeerState>,
  now: number,
  usual: number,
): Block | undefined {
  let latest: Flight | undefined
  let longest = peer.window.latency * SOONER_TIMES
  for (const partial of partials) {
    if (partial.ofOne || !peer.has.has(partial.piece)) continue
    for (const flight of partial.flights) {
      if (flight.peer === peer.id) continue
      const wait = expectedWait(flight, peers.get(flight.peer), now, usual)
      if (wait <= longest || partial.flights.some((other) => other !== flight && overlaps(other, flight)))
        continue
      latest = flight
      longest = wait
    }
  }
  if (!latest) return undefined
  const { piece, offset, length } = latest
  return { piece, offset, length: Math.min(length, peer.largestBlock) }
}

/** Seconds until the block should be here. One that is overdue may never come. */
function expectedWait(flight: Flight, owner: PeerState | undefined, now: number, usual: number): number {
  const age = now - flight.askedAt
  if (age > Math.max(LATE, LATE_TIMES * usual)) return Number.POSITIVE_INFINITY
  return Math.max(0, (owner?.window.latency ?? 0) - age)
}
