/** The assumed rate of a link, 100 Mbit/s. Where links are faster, waiting for deltas does not pay. */
const USUAL_BYTES_PER_S = 12.5e6
/** Starting a process takes a moment, which its savings repay on most links. */
const MIN_MS = 5000

/**
 * How much longer than the package deltas may take: about until the package would have arrived. `limit`: bytes a second, 0 for
 * none.
 */
export function timeLimitMs(packageBytes: number, limit: number): number {
  const rate = limit > 0 ? Math.min(limit, USUAL_BYTES_PER_S) : USUAL_BYTES_PER_S
  return MIN_MS + (packageBytes / rate) * 1000
}
