import type { SwarmContext } from '../swarm-context.ts'
import type { Connection } from './connection.ts'

/** When nothing came for so long, also those that do not lead a site may be connected to others. */
const STALL_S = 5

/**
 * Which connections may join two sites. Where a tracker guides a swarm (`../tracker/sites/site-roster.ts`), only seeders and the
 * leaders of a site have any: so few cross a long link, and all of a site agree on who fetches from there.
 */
export class SiteBorder {
  /** Whether a tracker guides this process. It guides those that name their sites, in larger swarms. */
  isGuarded = false
  readonly #context: SwarmContext
  #progress: { bytes: number; atS: number }

  constructor(context: SwarmContext) {
    this.#context = context
    this.#progress = { bytes: 0, atS: context.nowS() }
  }

  /** Whether this process may keep the connection. With nothing else to get content from, it may keep any. */
  mayKeep(id: number): boolean {
    const { local, scheduler } = this.#context
    if (!this.isGuarded || local.isSeeder || local.rank !== undefined) return true
    return !scheduler.isFar(id) || this.#isStalled
  }

  /**
   * Whether two neighbours should hear of each other. Those of different sites need not: the tracker tells leaders whom to connect
   * to elsewhere, and others would only dial, and close what they get.
   */
  mayMeet({ site }: Connection, { site: other }: Connection): boolean {
    return !this.isGuarded || site === undefined || other === undefined || site === other
  }

  /** Whether nothing came for long, although something is missing. */
  get #isStalled(): boolean {
    const { bytesHere, done } = this.#context.scheduler
    const nowS = this.#context.nowS()
    if (this.#progress.bytes !== bytesHere) this.#progress = { bytes: bytesHere, atS: nowS }
    return !done && nowS - this.#progress.atS > STALL_S
  }
}
