import { awakeSeconds } from '../../../system/awake.ts'
import { STALL_GRACE_S } from '../../timeouts.ts'

/** Failures of the connection, not of the agent. The server may be back in a moment. */
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

/** How long to reconnect to a server whose connection broke: until it has been silent for the stall timeout. */
export class ReconnectLimit {
  readonly #limitS: number
  readonly #now: () => number
  #heardS: number

  /** `stallS`: 0 for no limit. `now`: seconds. */
  constructor(stallS: number, now = awakeSeconds) {
    this.#limitS = stallS > 0 ? stallS + STALL_GRACE_S : Number.POSITIVE_INFINITY
    this.#now = now
    this.#heardS = now()
  }

  /** The server has answered. */
  heard(): void {
    this.#heardS = this.#now()
  }

  /** Whether to connect again after this failure. */
  allows({ code }: { code: string }): boolean {
    return connectionFailures.has(code) && this.#now() - this.#heardS < this.#limitS
  }
}
