/**
 * A bounded number of connections that have not shown yet that they are worth keeping. When there is one too many, the
 * oldest of the address that has most of them must go: so a flood from one machine turns out itself, not others.
 */
export class ConnectionLimit<T> {
  readonly #most: number
  readonly #guests = new Map<T, string>()
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Takes one in; returns the one to turn out for it, if there is no room. */
  enter(guest: T, address: string): T | undefined {
    this.#guests.set(guest, address)
    this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1)
    if (this.#guests.size <= this.#most) return undefined
    const leaving = this.#oldestOf(this.#fullest())
    if (leaving !== undefined) this.leave(leaving)
    return leaving
  }

  leave(guest: T): void {
    const address = this.#guests.get(guest)
    if (address === undefined) return
    this.#guests.delete(guest)
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
    for (const [guest, from] of this.#guests) if (from === address) return guest
    return undefined
  }
}
