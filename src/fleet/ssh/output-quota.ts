/** The rate at which a command may print all the time. A peer's events take a few hundred bytes a second. */
const BYTES_PER_S = 64 * 1024

/** Limits what is read from a command: `burst` bytes at once, and from then on `BYTES_PER_S`. */
export class OutputQuota {
  readonly #burst: number
  #left: number
  #atMs: number

  constructor(burst: number, nowMs: number) {
    this.#burst = burst
    this.#left = burst
    this.#atMs = nowMs
  }

  /** Whether so many bytes more are allowed. */
  allows(bytes: number, nowMs: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + ((nowMs - this.#atMs) / 1000) * BYTES_PER_S)
    this.#atMs = nowMs
    this.#left -= bytes
    return this.#left >= 0
  }
}
