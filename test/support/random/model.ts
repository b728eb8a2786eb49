/** What must be true of the releases of one server, by what was done there. It looks at no server. */
export class ServerModel {
  live: string | undefined
  /** Was live before and may be gone back to, the latest last. */
  past: string[] = []
  /** Was live after the live one, which somebody has made live by hand: that tells nothing of the others until something is noted. */
  later: string[] = []
  /** Was rolled back from, the latest last. */
  readonly leftBehind: string[] = []
  /** Was brought by single steps and never live. */
  readonly brought = new Set<string>()

  publish(release: string): void {
    if (release === this.live) return
    const before = this.live
    this.#forget(release)
    if (before !== undefined) this.past.push(before)
    this.live = release
  }

  /** Somebody changes the link. */
  switchTo(release: string): void {
    const at = this.past.indexOf(release)
    const before = this.live
    this.later = [...this.past.splice(at).slice(1), ...this.later, ...(before === undefined ? [] : [before])]
    this.live = release
  }

  rollBack(release: string): void {
    if (release === this.live) return
    const before = this.live
    this.#forget(release)
    if (before !== undefined) this.leftBehind.push(before)
    this.live = release
  }

  /** Releases that cleaning has removed. Throws when it had to keep one of them. */
  removed(names: readonly string[], keep: number): void {
    const wrong = names.find((name) => this.#mustStay(keep).includes(name))
    if (wrong !== undefined) throw new Error(`${wrong} was removed and had to stay`)
    for (const name of names) this.#forget(name)
  }

  /** All that are there and whole. */
  get known(): string[] {
    return [
      ...(this.live === undefined ? [] : [this.live]),
      ...this.past,
      ...this.later,
      ...this.leftBehind,
      ...this.brought,
    ]
  }

  #mustStay(keep: number): string[] {
    const last = keep > 1 ? [...this.past, ...this.later].slice(-(keep - 1)) : []
    return [...(this.live === undefined ? [] : [this.live]), ...last, ...this.brought]
  }

  #forget(release: string): void {
    this.brought.delete(release)
    this.past.push(...this.later.splice(0))
    for (const list of [this.past, this.leftBehind]) {
      const at = list.indexOf(release)
      if (at >= 0) list.splice(at, 1)
    }
  }
}

/** What a rollback of the fleet may go to: one release where all servers are alike, else any that some server was at before. */
export function rollbackMayGoTo(servers: readonly ServerModel[]): string[] {
  const isAlike = new Set(servers.map(({ live, past }) => JSON.stringify([live, past]))).size === 1
  if (isAlike) return servers[0]?.past.slice(-1) ?? []
  return [...new Set(servers.flatMap(({ past, live }) => [...past, ...(live === undefined ? [] : [live])]))]
}
