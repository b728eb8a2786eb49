/** What a link moves at least in a deploy for which waiting does not pay: 100 Mbit/s. */
const USUAL_BYTES_PER_S = 12.5e6
/** A process needs a moment, and its bytes save more than that on most links. */
const LEAST_MS = 5000

/**
 * How much longer than the package deltas may take: about until the package would have arrived. `limit`: bytes a second, 0 for
 * none.
 */
export function timeLimitMs(packageBytes: number, limit: number): number {
  const rate = limit > 0 ? Math.min(limit, USUAL_BYTES_PER_S) : USUAL_BYTES_PER_S
  return LEAST_MS + (packageBytes / rate) * 1000
}

/** Whether it is done in time. */
export async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const isDone = await Promise.race([work.then(() => true), late])
  clearTimeout(timer)
  return isDone
}
