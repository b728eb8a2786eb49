import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { addressMatcher } from '../../../system/addresses.ts'
import { FAR_MS, networkOf, Places } from './places.ts'

/** If a peer's port does not answer within this time, no peer of its network is located for a while. */
const TIMEOUT_MS = 1000
const SILENCE_MS = 60_000
/** An announce waits this long for the place. The next announce, two seconds later, has it. */
const LONGEST_WAIT_MS = 250
const MAX_TRIES = 4
/** A connection to this machine itself is faster than this, unless this process is held up. */
const QUICK_MS = 3
const LOOPBACK = '127.0.0.1'
/** tcpmux, which nobody runs. */
const CLOSED_PORT = 1
/** How many networks are measured at one time, and how many are remembered. */
const MAX_PENDING = 64
const MAX_KNOWN = 20_000

/**
 * Finds the place of each peer of a tracker (`Places`) by the time it takes to connect to it. The kernel of the peer's machine
 * answers that, so busy peers do not look farther away. Only the first peer of a network is measured, before the links are full.
 * Peers in this machine's own networks count as near without measuring.
 */
export class Locator {
  readonly #places = new Places()
  readonly #known = new Map<string, Promise<string | undefined>>()
  readonly #isInOwnNetwork: (address: string) => boolean
  readonly #measure: (host: string, port: number) => Promise<number>
  #pending = 0

  constructor(measure = certainRoundTripMs, own = ownNetworks()) {
    this.#measure = measure
    this.#isInOwnNetwork = addressMatcher(own)
  }

  /** Undefined when that is unknown, or not known soon enough. */
  async locate(host: string, port: number): Promise<string | undefined> {
    if (this.#isInOwnNetwork(host)) return this.#places.nameOf(host, 0)
    const network = networkOf(host)
    if (!this.#known.has(network)) {
      if (this.#pending >= MAX_PENDING || this.#known.size >= MAX_KNOWN) return undefined
      this.#known.set(network, this.#find(network, host, port))
    }
    return Promise.race([this.#known.get(network), delay(LONGEST_WAIT_MS, undefined, { ref: false })])
  }

  async #find(network: string, host: string, port: number): Promise<string | undefined> {
    this.#pending++
    const roundTripMs = await this.#measure(host, port)
    this.#pending--
    if (Number.isFinite(roundTripMs)) return this.#places.nameOf(network, roundTripMs)
    // Perhaps a firewall blocks this machine. Peers that ask meanwhile shall not wait.
    setTimeout(() => this.#known.delete(network), SILENCE_MS).unref()
    return undefined
  }
}

/** Loopback included, as `10.0.0.1/8`. */
function ownNetworks(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).flatMap(({ cidr }) => cidr ?? []))
}

/**
 * The shortest of some connection times, in milliseconds. A path never looks shorter than it is, but it looks longer when this
 * process is held up. So a measurement counts only if a connection to this machine itself, which is refused, was quick. Infinity
 * when nothing is certain.
 */
export async function certainRoundTripMs(host: string, port: number): Promise<number> {
  let shortestMs = Number.POSITIVE_INFINITY
  let isCertain = false
  for (let tried = 0; tried < MAX_TRIES && !isCertain && shortestMs >= FAR_MS; tried++) {
    const [tookMs, ownMs] = await Promise.all([connectMs(host, port), connectMs(LOOPBACK, CLOSED_PORT)])
    shortestMs = Math.min(shortestMs, tookMs)
    isCertain = ownMs < QUICK_MS
  }
  return isCertain || shortestMs < FAR_MS ? shortestMs : Number.POSITIVE_INFINITY
}

/** Time until the other machine answers in any way; infinity when it does not. */
function connectMs(host: string, port: number): Promise<number> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const socket = connect({ host, port, timeout: TIMEOUT_MS })
    const settle = (isAnswer: boolean) => {
      socket.destroy()
      resolve(isAnswer ? performance.now() - startedAt : Number.POSITIVE_INFINITY)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(false))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => settle(code === 'ECONNREFUSED'))
  })
}
