import { pause } from '../../system/backoff.ts'

/** Time between two checks of a watched group. */
const LOOK_EVERY_S = 5

/** Checks repeatedly for `seconds`, the last time at the end. Returns the first finding. Throws the reason of the signal. */
export async function watch<T>(
  seconds: number,
  look: () => Promise<T | undefined>,
  { signal, everyS = LOOK_EVERY_S }: { signal?: AbortSignal; everyS?: number } = {},
): Promise<T | undefined> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    const left = Math.max(0, (end - performance.now()) / 1000)
    await pause(Math.min(everyS, left), signal)
    const found = await look()
    if (found !== undefined) return found
    if (left <= everyS) return undefined
  }
}
