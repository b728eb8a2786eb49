import type { OwnSiteOptions } from '../../participant-options.ts'
import { MAX_IMPORTERS } from '../../scheduler/sites/importers.ts'
import { RateLimit } from './rate-limit.ts'

/**
 * This process's share of its site's limit. Each member that imports has an equal share, and so has a seeder. Members that the
 * deploy has named count from the start, so dead ones leave their share unused.
 */
export class SiteLimit {
  readonly into: RateLimit
  readonly out: RateLimit
  readonly #limit: number
  readonly #named: number

  constructor({ limit = 0, servers = 0 }: Partial<OwnSiteOptions>, nowS: number) {
    this.#limit = limit
    this.#named = Math.min(MAX_IMPORTERS, servers)
    this.into = new RateLimit(0, nowS)
    this.out = new RateLimit(0, nowS)
    this.share({ importers: 1, seeders: 0 })
  }

  /** How many members exchange with other sites, this process included. */
  share({ importers, seeders }: { importers: number; seeders: number }): void {
    if (this.#limit === 0) return
    const members = Math.max(1, importers, this.#named)
    this.into.rate = this.#limit / members
    this.out.rate = this.#limit / (members + seeders)
  }
}
