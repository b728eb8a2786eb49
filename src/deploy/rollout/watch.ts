import { pause } from '../../system/backoff.ts'

/** Between two looks at a group that is watched. */
const LOOK_EVERY_S = 5
/** A timer may end so much too early, which is not worth one more look. */
const EARLY_S = 0.005

/**
 * Looks again and again for `seconds`, at the end for the last time. Gives the first finding. Throws the reason of the signal.
 */
export async function watch<T>(
  seconds: number,
  look: () => Promise<T | undefined>,
  { signal, everyS = LOOK_EVERY_S }: { signal?: AbortSignal; everyS?: number } = {},
): Promise<T | undefined> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const left = (end - performance.now()) / 1000
    if (left <= EARLY_S) return undefined
    await pause(Math.min(everyS, left), signal)
    const found = await look()
    if (found !== undefined) return found
  }
}
