/** Connections with one address at a time, each way: a server has one peer, and for a while an older one besides. */
const MAX_CONNECTIONS = 4
/** So many connections may come from one address at once, and then one per `REFILL_S`. */
const BURST = 8
const REFILL_S = 2

/** Limits the neighbours from one address, so that a server gains nothing by many peer ids. */
export class HostLimit {
  readonly #joins = new Map<string, { left: number; atS: number }>()

  /**
   * `connected`: how many there are in the same direction. A server that opens many, under many names, must not keep us from
   * dialing the peer there.
   */
  admit(
    host: string,
    { outgoing, connected }: { outgoing: boolean; connected: number },
    nowS: number,
  ): boolean {
    if (connected >= MAX_CONNECTIONS) return false
    if (outgoing) return true
    const { left, atS } = this.#joins.get(host) ?? { left: BURST, atS: nowS }
    const now = Math.min(BURST, left + (nowS - atS) / REFILL_S)
    if (now < 1) return false
    this.#joins.set(host, { left: now - 1, atS: nowS })
    return true
  }
}
