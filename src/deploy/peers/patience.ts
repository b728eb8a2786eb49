/** Failures of the connection, not of what runs on the server: it may be back in a moment. */
const CONNECTION = new Set([
  'SSH_LOST',
  'SSH_TIMEOUT',
  'SSH_REFUSED',
  'SSH_UNREACHABLE',
  'SSH_TURNED_AWAY',
  'SSH_FAILED',
  'NO_PROCESSES',
])

/** Seconds that a server has beyond its own stall timeout, so that it can say itself that nothing moves. */
export const GRACE = 15

/** How long to go on trying to reach one server: until nothing was heard of it for the stall timeout. */
export class Patience {
  readonly #seconds: number
  readonly #now: () => number
  #heard: number

  /** `stall`: seconds, 0 for no limit. `now`: seconds. */
  constructor(stall: number, now = () => performance.now() / 1000) {
    this.#seconds = stall > 0 ? stall + GRACE : Number.POSITIVE_INFINITY
    this.#now = now
    this.#heard = now()
  }

  /** The server has said something. */
  heard(): void {
    this.#heard = this.#now()
  }

  /** Whether a command that failed so is worth another try. */
  allows({ code }: { code: string }): boolean {
    return CONNECTION.has(code) && this.#now() - this.#heard < this.#seconds
  }
}
