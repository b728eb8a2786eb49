import { awakeSeconds } from '../../system/awake.ts'

/** Failures of the connection, which may be back in a moment, and not of the agent. */
const connectionFailures = new Set([
  'SSH_LOST',
  'SSH_TIMEOUT',
  'SSH_REFUSED',
  'SSH_UNREACHABLE',
  'SSH_TURNED_AWAY',
  'SSH_BASTION',
  'SSH_PROXY',
  'SSH_FAILED',
  'NO_PROCESSES',
])

/** How much longer than its own stall timeout a server may be silent, so that it can report the stall itself. */
export const STALL_GRACE_S = 15

/** How long to go on trying to reach one server: until it was silent for the stall timeout. */
export class Patience {
  readonly #seconds: number
  readonly #now: () => number
  #heard: number

  /** `stall`: seconds, 0 for no limit. `now`: seconds. */
  constructor(stall: number, now = awakeSeconds) {
    this.#seconds = stall > 0 ? stall + STALL_GRACE_S : Number.POSITIVE_INFINITY
    this.#now = now
    this.#heard = now()
  }

  /** The server has answered. */
  heard(): void {
    this.#heard = this.#now()
  }

  /** Whether to try again after this failure. */
  allows({ code }: { code: string }): boolean {
    return connectionFailures.has(code) && this.#now() - this.#heard < this.#seconds
  }
}
