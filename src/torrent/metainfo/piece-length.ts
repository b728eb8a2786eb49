const SMALLEST = 32 * 1024
const LARGEST = 8 * 1024 * 1024
/** A torrent with more pieces than this is too large a file to hand to a thousand servers. */
const MOST_PIECES = 20_000
/** Share of the content that may be under way as "first piece to come, last piece to pass on", per peer. */
const PIECES_PER_PEER = 60
/** Enough for the last piece of a small fleet; smaller pieces would only cost messages. */
const ENOUGH_PIECES = 800

/**
 * Piece length in bytes, a power of two, for content of `bytes` going to `peers` peers.
 *
 * A peer can pass a piece on only when all of it is here, and at the end each of the last pieces has to reach everybody:
 * both cost about peers × piece ÷ bytes of the time (NOTES.md), so pieces get smaller as the fleet grows.
 */
export function choosePieceLength(bytes: number, peers: number): number {
  const wanted = Math.max(bytes / MOST_PIECES, bytes / Math.max(ENOUGH_PIECES, PIECES_PER_PEER * peers))
  let length = SMALLEST
  while (length < LARGEST && length * 1.5 < wanted) length *= 2
  return length
}
