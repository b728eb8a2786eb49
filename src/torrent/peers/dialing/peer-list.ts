/** Pause before an address is dialed again. It doubles from the first to the longest one. */
const FIRST_PAUSE_S = 0.25
const LONGEST_PAUSE_S = 4
/** After so many failures an address is forgotten, unless it is fixed. */
const MAX_FAILURES = 6
/** Limit for addresses from trackers and peers. Fixed ones come on top. */
const MAX_ADDRESSES = 10_000

interface Entry {
  failures: number
  /** Infinity while it is not connected. */
  connectedAtS: number
  /** It is not dialed before this time. */
  nextAtS: number
  /** Named by the user or the deploy: never forgotten. */
  fixed: boolean
  busy: boolean
}

/** Addresses of other peers, and when to dial which. */
export class PeerList {
  readonly #entries = new Map<string, Entry>()
  readonly #forbidden = new Set<string>()
  /** Those that are dialed whatever room there is. */
  #partners: ReadonlySet<string> = new Set()

  add(address: string, fixed = false): void {
    if (this.#forbidden.has(address)) return
    const known = this.#entries.get(address)
    if (known) known.fixed ||= fixed
    else if (fixed || this.#entries.size < MAX_ADDRESSES)
      this.#entries.set(address, {
        failures: 0,
        connectedAtS: Number.POSITIVE_INFINITY,
        nextAtS: 0,
        fixed,
        busy: false,
      })
  }

  /** From now on these are dialed however many neighbours there are. */
  setPartners(addresses: ReadonlySet<string>): void {
    this.#partners = addresses
    for (const address of addresses) this.add(address)
  }

  /** Ignores an address from now on: it is our own, or must not be used. */
  forbid(address: string): void {
    this.#entries.delete(address)
    this.#forbidden.add(address)
  }

  /** Addresses to dial now: all partners, and at most `room` others: the fixed ones first, then in random order. */
  due(nowS: number, room: number, connected: ReadonlySet<string>, random: () => number): string[] {
    const partners: string[] = []
    const due: { address: string; order: number }[] = []
    for (const [address, entry] of this.#entries) {
      if (entry.busy || entry.nextAtS > nowS || connected.has(address)) continue
      if (this.#partners.has(address)) partners.push(address)
      else due.push({ address, order: entry.fixed ? -1 : random() })
    }
    const others = due.sort((a, b) => a.order - b.order).slice(0, Math.max(0, room))
    return [...partners, ...others.map(({ address }) => address)]
  }

  dialing(address: string): void {
    const entry = this.#entries.get(address)
    if (entry) entry.busy = true
  }

  /** The connection is established. */
  connected(address: string, nowS: number): void {
    const entry = this.#entries.get(address)
    if (entry) entry.connectedAtS = nowS
  }

  /**
   * The attempt failed, or the connection ended. An early end counts as a failure, because the other side does not want the
   * connection.
   */
  ended(address: string, nowS: number): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    entry.busy = false
    if (nowS - entry.connectedAtS > LONGEST_PAUSE_S) entry.failures = 0
    entry.connectedAtS = Number.POSITIVE_INFINITY
    entry.failures++
    entry.nextAtS = nowS + Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (entry.failures - 1))
    if (!entry.fixed && entry.failures >= MAX_FAILURES) this.#entries.delete(address)
  }

  get addresses(): string[] {
    return [...this.#entries.keys()]
  }
}
