/** Time comes from outside, so that tests control it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs `run` every `milliseconds` until the returned function is called. Never keeps a process alive. */
  every(milliseconds: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  every(milliseconds, run) {
    const timer = setInterval(run, milliseconds)
    timer.unref()
    return () => clearInterval(timer)
  },
}
