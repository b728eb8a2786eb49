import { addressMatcher, isLoopback, ownNetworks } from '../../system/addresses.ts'
import type { SiteFacts } from '../scheduler/site-facts.ts'
import type { SwarmContext } from '../swarm-context.ts'
import { SITE_EXTENSION } from '../wire/extensions.ts'
import type { Connection } from './connection.ts'
import { isNear } from './whereabouts.ts'

/** The first byte of a message. */
const IMPORTS = 0
const PING = 1
const PONG = 2
const PING_BYTES = 5
const MAX_IMPORTS = 1024
/** So many pings leave at once, one after the other. Neighbours that look far away are sent one more every so many ticks. */
const FIRST_PINGS = 5
const TICKS_BETWEEN = 20
/** The least times that are kept. */
const MAX_TIMES = 8

interface Partner {
  connection: Connection
  roundTripsS: number[]
  pingedAtS: number | undefined
  pings: number
  ticks: number
  facts: SiteFacts
}

/**
 * Finds out which neighbours are in our own site, by name or by the round trip, and lets its members know which pieces this one
 * fetches from other sites. What neighbours say is not trusted: it only decides who is preferred.
 */
export class SiteExchange {
  readonly #context: SwarmContext
  readonly #locate: (connection: Connection, facts: SiteFacts) => void
  readonly #partners = new Map<number, Partner>()
  readonly #isInNetwork = addressMatcher(ownNetworks())

  constructor(context: SwarmContext, locate: (connection: Connection, facts: SiteFacts) => void) {
    this.#context = context
    this.#locate = locate
  }

  join(connection: Connection): void {
    const { wire, peerId: key } = connection
    const partner: Partner = {
      connection,
      roundTripsS: connection.roundTripS === undefined ? [] : [connection.roundTripS],
      pingedAtS: undefined,
      pings: 0,
      ticks: 0,
      facts: { isNear: true, site: undefined, key },
    }
    this.#partners.set(connection.id, partner)
    wire.on('extended-handshake', () => {
      this.#update(partner, true)
      if (partner.pings === 0) this.#ping(partner)
    })
    wire.on('extended', (extension, content) => {
      if (extension === SITE_EXTENSION) this.#receive(partner, content)
    })
    this.#update(partner, true)
    if (wire.isAgent) this.#ping(partner)
  }

  leave({ id }: Connection): void {
    this.#partners.delete(id)
  }

  /** These pieces are fetched from other sites. */
  tellImports(pieces: readonly number[]): void {
    if (pieces.length === 0) return
    const content = Buffer.alloc(1 + 4 * pieces.length)
    for (const [at, piece] of pieces.entries()) content.writeUInt32BE(piece, 1 + 4 * at)
    for (const { connection, facts } of this.#partners.values())
      if (facts.isNear) connection.wire.extended(SITE_EXTENSION, content)
  }

  /** Called often. */
  tick(): void {
    for (const partner of this.#partners.values())
      if (!partner.facts.isNear && ++partner.ticks % TICKS_BETWEEN === 0) this.#ping(partner)
  }

  #update(partner: Partner, isNew = false): void {
    const { connection, roundTripsS, facts } = partner
    const { site, siteKey = facts.key, remoteHost } = connection
    const ownSite = this.#context.options.site?.name
    const near = isNear({
      ownSite,
      site,
      isLoopback: isLoopback(remoteHost),
      isInNetwork: this.#isInNetwork(remoteHost),
      roundTripsS,
    })
    if (!isNew && near === facts.isNear) return
    partner.facts = { isNear: near, site: ownSite === undefined ? undefined : site, key: siteKey }
    this.#locate(connection, partner.facts)
  }

  /** Names tell more than the way does, and on one machine there is no way. */
  #ping(partner: Partner): void {
    const { connection } = partner
    if (this.#context.options.site && connection.site !== undefined) return
    if (isLoopback(connection.remoteHost)) return
    const message = Buffer.alloc(PING_BYTES)
    message[0] = PING
    message.writeUInt32BE(++partner.pings, 1)
    partner.pingedAtS = this.#context.nowS()
    partner.connection.wire.extended(SITE_EXTENSION, message)
  }

  #receive(partner: Partner, content: Uint8Array): void {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    if (bytes[0] === IMPORTS) this.#importsHeard(partner, bytes)
    else if (bytes.length !== PING_BYTES) return
    else if (bytes[0] === PING) {
      const answer = Buffer.from(bytes)
      answer[0] = PONG
      partner.connection.wire.extended(SITE_EXTENSION, answer)
    } else if (bytes[0] === PONG && bytes.readUInt32BE(1) === partner.pings) this.#ponged(partner)
  }

  #ponged(partner: Partner): void {
    if (partner.pingedAtS === undefined) return
    const tookS = this.#context.nowS() - partner.pingedAtS
    partner.pingedAtS = undefined
    partner.roundTripsS = [...partner.roundTripsS, tookS].sort((a, b) => a - b).slice(0, MAX_TIMES)
    this.#update(partner)
    if (partner.pings < FIRST_PINGS) this.#ping(partner)
  }

  #importsHeard({ connection }: Partner, bytes: Buffer): void {
    const { scheduler, nowS } = this.#context
    for (let at = 1; at + 4 <= Math.min(bytes.length, 1 + 4 * MAX_IMPORTS); at += 4)
      scheduler.peerImports(connection.id, bytes.readUInt32BE(at), nowS())
  }
}
