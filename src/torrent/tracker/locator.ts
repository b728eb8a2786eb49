import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { addressMatcher } from '../../system/addresses.ts'
import { FAR_MS, networkOf, Places } from './places.ts'

/** A peer whose port does not answer within this time is not located, and nobody of its network is for a while. */
const TIMEOUT_MS = 1000
const SILENCE_MS = 60_000
/** An answer waits no longer: the next one, two seconds later, has it. */
const LONGEST_WAIT_MS = 250
const MAX_TRIES = 4
/** A connection to this machine itself takes less, unless this process is held up. */
const QUICK_MS = 3
const LOOPBACK = '127.0.0.1'
/** tcpmux, which nobody runs. */
const CLOSED_PORT = 1
/** Networks that are looked at at one time, and that are remembered. */
const MAX_PENDING = 64
const MAX_KNOWN = 20_000

/**
 * Finds out at which place the peers of a tracker are (`Places`), by how long it takes to connect to them. The kernel of a
 * peer's machine answers that, so busy peers look no farther away. Only the first peer of a network is looked at, which is
 * before the links are full. Those in this machine's own networks are near without a look.
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

  /** Undefined when that can't be told, or not soon. */
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
    // Closed to this machine, perhaps: those that ask meanwhile shall not wait.
    setTimeout(() => this.#known.delete(network), SILENCE_MS).unref()
    return undefined
  }
}

/** Loopback included, as `10.0.0.1/8`. */
function ownNetworks(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).flatMap(({ cidr }) => cidr ?? []))
}

/**
 * The shortest of some connections, milliseconds. A way never looks shorter than it is, but longer where this process is held up:
 * so a connection counts only if one to this machine itself, which is refused, was quick. Infinity when nothing is certain.
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

/** Until the other machine answers, whatever it says; infinity when it does not. */
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
