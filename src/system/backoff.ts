/** The longest pause, before random variation. */
const MAX_PAUSE_S = 4

/** Seconds to wait before the n-th retry (from 1). They double, and vary by up to half so that a fleet doesn't return at once. */
export function backoff(retry: number, random: () => number): number {
  return Math.min(MAX_PAUSE_S, 0.25 * 2 ** retry) * (0.5 + random())
}

/** Resolves after `seconds`; rejects with the signal's reason on abort. */
export function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, seconds * 1000)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
