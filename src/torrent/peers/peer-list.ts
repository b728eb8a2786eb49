/** Seconds before an address is tried again: the first time, and at most. */
const FIRST_PAUSE = 0.25
const LONGEST_PAUSE = 4
/** An address that only a tracker named is forgotten after this many failures. */
const MOST_FAILURES = 6
/** Addresses that trackers and peers may name; those of the user come on top. */
const MOST_ADDRESSES = 10_000

interface Entry {
  failures: number
  /** Infinity while it is not. */
  connectedAt: number
  nextAt: number
  /** Named by the user or the deploy: never forgotten. */
  fixed: boolean
  busy: boolean
}

/** Addresses of other peers, and when to dial which. */
export class PeerList {
  readonly #entries = new Map<string, Entry>()
  readonly #forbidden = new Set<string>()

  add(address: string, fixed = false): void {
    if (this.#forbidden.has(address)) return
    const known = this.#entries.get(address)
    if (known) known.fixed ||= fixed
    else if (fixed || this.#entries.size < MOST_ADDRESSES)
      this.#entries.set(address, {
        failures: 0,
        connectedAt: Number.POSITIVE_INFINITY,
        nextAt: 0,
        fixed,
        busy: false,
      })
  }

  /** This is our own address, or one that must not be used: whoever names it again is not heard. */
  forbid(address: string): void {
    this.#entries.delete(address)
    this.#forbidden.add(address)
  }

  /** Addresses to dial now, at most `room`, those of the user first, the others in random order. */
  due(now: number, room: number, connected: ReadonlySet<string>, random: () => number): string[] {
    const due: { address: string; order: number }[] = []
    for (const [address, entry] of this.#entries) {
      if (entry.busy || entry.nextAt > now || connected.has(address)) continue
      due.push({ address, order: entry.fixed ? -1 : random() })
    }
    return due
      .sort((a, b) => a.order - b.order)
      .slice(0, Math.max(0, room))
      .map(({ address }) => address)
  }

  dialing(address: string): void {
    const entry = this.#entries.get(address)
    if (entry) entry.busy = true
  }

  /** The connection is established. */
  connected(address: string, now: number): void {
    const entry = this.#entries.get(address)
    if (entry) entry.connectedAt = now
  }

  /** The attempt failed, or the connection ended. One that ends soon is a failure: it is not wanted there. */
  ended(address: string, now: number): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    entry.busy = false
    if (now - entry.connectedAt > LONGEST_PAUSE) entry.failures = 0
    entry.connectedAt = Number.POSITIVE_INFINITY
    entry.failures++
    entry.nextAt = now + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (entry.failures - 1))
    if (!entry.fixed && entry.failures >= MOST_FAILURES) this.#entries.delete(address)
  }

  get addresses(): string[] {
    return [...this.#entries.keys()]
  }
}
