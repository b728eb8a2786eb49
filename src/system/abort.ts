/** A signal that aborts as soon as either of the two does. */
export const either = (one: AbortSignal, other: AbortSignal) => AbortSignal.any([one, other])

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
