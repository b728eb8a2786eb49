import type { Progress, Step } from './fleet-progress.ts'

/** A shorter time says little: a swarm begins slowly, and a single measurement may be of a burst. */
const MIN_LOOK_S = 3
const WINDOW_S = 15
const SAMPLE_S = 0.5

/** Estimates when a step will be done, from its progress in the last seconds. */
export class EtaEstimator {
  #step: Step | undefined
  #total = 0
  #samples: { at: number; bytes: number }[] = []

  /** Seconds; undefined while unknown. `now`: seconds. */
  take(now: number, step: Step, { bytes, total }: Progress): number | undefined {
    const last = this.#samples.at(-1)
    if (step !== this.#step || total !== this.#total || bytes < (last?.bytes ?? 0)) this.#samples = []
    this.#step = step
    this.#total = total
    if (this.#samples.length === 0 || now - (last?.at ?? 0) >= SAMPLE_S)
      this.#samples.push({ at: now, bytes })
    while ((this.#samples[1]?.at ?? now) <= now - WINDOW_S) this.#samples.shift()
    const [first] = this.#samples
    if (total > 0 && bytes >= total) return 0
    if (!first || now - first.at < MIN_LOOK_S || bytes <= first.bytes) return undefined
    return ((total - bytes) * (now - first.at)) / (bytes - first.bytes)
  }
}
