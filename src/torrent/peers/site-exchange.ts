import type { SiteFacts } from '../scheduler/sites/site-facts.ts'
import type { SwarmContext } from '../swarm-context.ts'
import { isPlaceName } from '../tracker/sites/places.ts'
import { SITE_EXTENSION } from '../wire/extensions.ts'
import type { Connection } from './connection.ts'

/** Pieces in one message. */
const MAX_IMPORTS = 1024
const NUMBER_BYTES = 4

interface Partner {
  connection: Connection
  facts: SiteFacts
}

/**
 * Finds out which neighbours are in our own site, by the site names that users have given or a tracker has found. Tells these
 * neighbours which pieces this peer fetches from other sites. What neighbours say may be wrong: it only decides which of them are
 * preferred.
 */
export class SiteExchange {
  readonly #context: SwarmContext
  readonly #locate: (connection: Connection, facts: SiteFacts) => void
  readonly #partners = new Map<number, Partner>()

  constructor(context: SwarmContext, locate: (connection: Connection, facts: SiteFacts) => void) {
    this.#context = context
    this.#locate = locate
  }

  join(connection: Connection): void {
    const { wire, peerId: key } = connection
    const partner: Partner = {
      connection,
      facts: { isNear: true, site: undefined, key },
    }
    this.#partners.set(connection.id, partner)
    connection.tellNews()
    wire.on('extended-handshake', () => this.#welcome(partner))
    wire.on('extended', (extension, content) => {
      if (extension === SITE_EXTENSION) this.#importsHeard(partner, content)
    })
    this.#welcome(partner)
  }

  /** Tells a neighbour that joins which pieces are being fetched from other sites. */
  #welcome(partner: Partner): void {
    this.#update(partner)
    if (partner.facts.isNear) tell(partner.connection, this.#context.scheduler.importsUnderWay)
  }

  leave({ id }: Connection): void {
    this.#partners.delete(id)
  }

  /** Tells our site that these pieces are fetched from other sites. */
  tellImports(pieces: readonly number[]): void {
    for (const { connection, facts } of this.#partners.values()) if (facts.isNear) tell(connection, pieces)
  }

  /** A tracker has found the place of this process. */
  foundAt(place: string): void {
    const { local, scheduler } = this.#context
    if (local.site?.name === place || (local.site && !isPlaceName(local.site.name))) return
    local.site = { name: place }
    scheduler.sites.foundAt(place)
    for (const partner of this.#partners.values()) {
      partner.connection.tellNews()
      this.#update(partner)
    }
  }

  /** In a larger swarm a tracker says whether this process leads its site. */
  ledAs(rank: number | undefined): void {
    const { local, scheduler } = this.#context
    if (local.rank === rank) return
    local.rank = rank
    scheduler.sites.ledAs(rank)
    for (const { connection } of this.#partners.values()) connection.tellNews()
  }

  /**
   * If either has no site name, the neighbour counts as near, so nothing changes where no sites are known. Names from the user
   * are not compared with places that were found.
   */
  #update(partner: Partner): void {
    const { connection } = partner
    const { site, siteKey = partner.facts.key } = connection
    const ownSite = this.#context.local.site?.name
    const isKnown = ownSite !== undefined && site !== undefined && isPlaceName(site) === isPlaceName(ownSite)
    const isNear = !isKnown || site === ownSite
    partner.facts = {
      isNear,
      site: ownSite === undefined ? undefined : site,
      key: siteKey,
      rank: connection.rank,
    }
    this.#locate(connection, partner.facts)
  }

  #importsHeard({ connection }: Partner, content: Uint8Array): void {
    const { scheduler, nowS } = this.#context
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    const count = Math.min(MAX_IMPORTS, Math.floor(bytes.length / NUMBER_BYTES))
    for (let at = 0; at < count; at++)
      scheduler.peerImports(connection.id, bytes.readUInt32BE(NUMBER_BYTES * at), nowS())
  }
}

function tell({ wire }: Connection, pieces: readonly number[]): void {
  if (pieces.length === 0) return
  const content = Buffer.alloc(NUMBER_BYTES * pieces.length)
  for (const [at, piece] of pieces.entries()) content.writeUInt32BE(piece, NUMBER_BYTES * at)
  wire.extended(SITE_EXTENSION, content)
}
