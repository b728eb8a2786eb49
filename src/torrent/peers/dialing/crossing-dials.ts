import { parseAddress } from '../../../system/addresses.ts'

/** The peer at the other end may be unable to reach us in the one direction that we try. */
const LONGEST_WAIT_MS = 500

/**
 * Two peers often dial each other at the same time. Then one of the two connections is closed. Over a long way, everything that was
 * requested on it comes in vain. So the peer whose own connection would stay does not answer the other one while it still dials.
 */
export class CrossingDials {
  readonly #dialed = new Set<string>()
  readonly #waiting = new Map<string, (() => void)[]>()

  begin(address: string): void {
    this.#dialed.add(address)
  }

  /** The connection to this address is open, or there will be none. */
  end(address: string): void {
    if (!this.#dialed.delete(address)) return
    const host = hostOf(address)
    if (!this.#isDialing(host)) this.#answer(host)
  }

  /** Calls `answer` as soon as no dial to the host is under way. */
  wait(host: string, answer: () => void): void {
    if (!this.#isDialing(host)) return answer()
    this.#waiting.set(host, [...(this.#waiting.get(host) ?? []), answer])
    setTimeout(() => this.#answer(host), LONGEST_WAIT_MS).unref()
  }

  #isDialing(host: string): boolean {
    return [...this.#dialed].some((address) => hostOf(address) === host)
  }

  #answer(host: string): void {
    const waiting = this.#waiting.get(host) ?? []
    this.#waiting.delete(host)
    for (const answer of waiting) answer()
  }
}

const hostOf = (address: string): string => parseAddress(address)?.host ?? ''
