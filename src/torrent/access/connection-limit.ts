/**
 * A limited number of connections that have not proved their worth yet. When there are too many, it gives up the oldest one of
 * the address with the most connections. So a flood from one machine displaces itself, not others.
 */
export class ConnectionLimit<T> {
  readonly #limit: number
  readonly #connections = new Map<T, string>()
  readonly #counts = new Map<string, number>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Adds a connection. If there is no room, returns the connection to close. */
  add(connection: T, address: string): T | undefined {
    this.#connections.set(connection, address)
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1)
    if (this.#connections.size <= this.#limit) return undefined
    const displaced = this.#oldestOf(this.#fullest())
    if (displaced !== undefined) this.remove(displaced)
    return displaced
  }

  remove(connection: T): void {
    const address = this.#connections.get(connection)
    if (address === undefined) return
    this.#connections.delete(connection)
    const left = (this.#counts.get(address) ?? 1) - 1
    if (left > 0) this.#counts.set(address, left)
    else this.#counts.delete(address)
  }

  #fullest(): string {
    let fullest = ''
    let most = 0
    for (const [address, count] of this.#counts) {
      if (count > most) [fullest, most] = [address, count]
    }
    return fullest
  }

  #oldestOf(address: string): T | undefined {
    for (const [connection, from] of this.#connections) if (from === address) return connection
    return undefined
  }
}
