import { pause } from '../../system/backoff.ts'

/** Time between two checks of a watched group. */
const LOOK_EVERY_S = 5

/**
 * Looks repeatedly for `seconds`, the last time at the end, as long as a look says that there is something left to look at. Throws
 * what a look throws, and the reason of the signal.
 */
export async function watch(
  seconds: number,
  look: () => Promise<boolean>,
  { signal, everyS = LOOK_EVERY_S }: { signal?: AbortSignal; everyS?: number } = {},
): Promise<void> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const left = Math.max(0, (end - performance.now()) / 1000)
    await pause(Math.min(everyS, left), signal)
    if (!(await look()) || left <= everyS) return
  }
}
