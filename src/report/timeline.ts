import type { OutputEvent } from './events.ts'

/** Milliseconds since 1970. `ended` is undefined while it lasts. */
export interface TimeSpan {
  name: string
  begun: number
  ended?: number
}

/** When each step of a run, and each phase of each server, began and ended. */
export class Timeline {
  readonly #now: () => number
  readonly #steps: TimeSpan[] = []
  readonly #servers = new Map<string, TimeSpan[]>()

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Takes an event of the display. */
  take(event: OutputEvent): void {
    if (event.event === 'step') this.#enter(this.#steps, event.step)
    if (event.event !== 'server') return
    const spans = this.#servers.get(event.server) ?? []
    this.#servers.set(event.server, spans)
    this.#enter(spans, event.phase)
  }

  get steps(): readonly TimeSpan[] {
    return this.#steps
  }

  spansOf(server: string): readonly TimeSpan[] {
    return this.#servers.get(server) ?? []
  }

  #enter(spans: TimeSpan[], name: string): void {
    const last = spans.at(-1)
    const now = this.#now()
    if (last && last.ended === undefined) last.ended = now
    if (name !== 'done' && name !== 'failed') spans.push({ name, begun: now })
  }
}
