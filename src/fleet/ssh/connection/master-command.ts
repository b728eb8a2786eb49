import type { SessionResult } from '../session.ts'

/** Runs the command whose connection others share. It calls `onStart` once it has started, and ends when `signal` aborts. */
export type RunMaster = (how: { onStart: () => void; signal: AbortSignal }) => Promise<SessionResult>

/** A command that stays and whose own connection the others on its server share: that saves one session for each server. */
export class MasterCommand {
  readonly ended: Promise<SessionResult>
  /** Settles when the connection can be shared, or when it never will be. */
  readonly ready: Promise<void>
  readonly #stop = new AbortController()
  #gone = false

  constructor(run: RunMaster) {
    let onStart = () => {}
    const started = new Promise<void>((resolve) => {
      onStart = resolve
    })
    this.ended = run({ onStart, signal: this.#stop.signal }).finally(() => {
      this.#gone = true
    })
    this.ready = Promise.race([started, this.ended.then(() => {})])
  }

  get gone(): boolean {
    return this.#gone
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.ended
  }
}
