import type { Server } from '../../fleet/ssh/server.ts'

/** Servers that have all that they need. */
export class Served {
  /** Resolves when these are all. */
  readonly all: Promise<void>
  readonly #servers: () => readonly Server[]
  readonly #served = new Set<Server>()
  #areAll = () => {}

  constructor(servers: () => readonly Server[]) {
    this.#servers = servers
    this.all = new Promise((resolve) => {
      this.#areAll = resolve
    })
  }

  add(servers: readonly Server[]): void {
    for (const server of servers) this.#served.add(server)
    if (this.#servers().every((server) => this.#served.has(server))) this.#areAll()
  }
}
