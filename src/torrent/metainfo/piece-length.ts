const SMALLEST_PIECE_BYTES = 32 * 1024
const LARGEST_PIECE_BYTES = 8 * 1024 * 1024
/** The longest piece of any torrent: a peer keeps several pieces in memory until they are whole. */
export const MAX_PIECE_BYTES = 64 * 1024 * 1024
/** Limit for torrents that we make or read: at 20 bytes a piece they stay below the 64 MiB that a torrent may have. */
export const MAX_PIECE_COUNT = 3_000_000
/** A torrent with more pieces than this is too large a file to hand to a thousand servers. */
const MAX_PIECES = 20_000
/** Pieces for each peer. With this many, waiting for the first piece and passing on the last one cost little. */
const PIECES_PER_PEER = 60
/** The least number of pieces in a small fleet. Smaller pieces would only cost messages. */
const ENOUGH_PIECES = 800

/**
 * Of a few peers each has its share of the metadata to fetch from the deploy host: 20 bytes a piece, once in all. So many pieces for each
 * cost less than 1 % of the time, as long as a slow line still brings one before a peer counts as stalled.
 */
const ENOUGH_PER_PEER = 100
const LARGEST_OF_FEW_BYTES = 2 * 1024 * 1024

/**
 * Piece length in bytes, a power of two, for content of `bytes` that goes to `peers` peers.
 *
 * A peer can pass a piece on only when all of it is here, and at the end each of the last pieces must reach every peer:
 * both cost about peers × piece ÷ bytes of the time (../scheduler/NOTES.md). So pieces get smaller as the fleet grows.
 */
export function choosePieceLength(bytes: number, peers: number): number {
  const wanted = Math.max(
    bytes / MAX_PIECES,
    bytes / Math.max(ENOUGH_PIECES, PIECES_PER_PEER * peers),
    Math.min(bytes / (ENOUGH_PER_PEER * Math.max(1, peers)), LARGEST_OF_FEW_BYTES),
  )
  let length = SMALLEST_PIECE_BYTES
  while (length < LARGEST_PIECE_BYTES && length * 1.5 < wanted) length *= 2
  return length
}
