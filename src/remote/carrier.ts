import type { SessionResult } from './session.ts'

/** How a command is run whose connection others share: it tells when it has started, and ends when `signal` aborts. */
export type Carry = (how: { onStart: () => void; signal: AbortSignal }) => Promise<SessionResult>

/** A command that stays, in whose own connection the others of its server run: one session less for each server. */
export class Carrier {
  readonly ended: Promise<SessionResult>
  /** Settles when the connection can be shared, or will never be. */
  readonly settled: Promise<void>
  readonly #stop = new AbortController()
  #gone = false

  constructor(run: Carry) {
    let onStart = () => {}
    const started = new Promise<void>((resolve) => {
      onStart = resolve
    })
    this.ended = run({ onStart, signal: this.#stop.signal }).finally(() => {
      this.#gone = true
    })
    this.settled = Promise.race([started, this.ended.then(() => {})])
  }

  get gone(): boolean {
    return this.#gone
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.ended
  }
}
