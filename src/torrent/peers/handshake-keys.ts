import { isRank } from '../tracker/sites/site-roster.ts'
import { LARGEST_BLOCK_BYTES, STANDARD_BLOCK_BYTES } from '../wire/peer-wire.ts'
import type { LocalPeer } from './local-peer.ts'

// Our own keys of the extended handshake (BEP 10).

/**
 * Our seeder says that it is one. Not BEP 21's `upload_only`: libtorrent closes connections to peers that say so and have nothing
 * to show yet.
 */
const SEEDER_KEY = 'murder_source'
/** A lower bound of the round trip in ms, as the opener has measured it. */
const WAY_KEY = 'murder_way'
/** The longest block that may be requested from the sender. */
const BLOCK_KEY = 'murder_block'
/** Bytes of the info dictionary, if the sender has all of it (BEP 9). */
const METADATA_SIZE_KEY = 'metadata_size'
/** The sender's site, its name there, and its number if it leads the site. */
const SITE_KEY = 'murder_site'
const MEMBER_KEY = 'murder_member'
const RANK_KEY = 'murder_rank'
const MAX_NAME_CHARACTERS = 64
/** Larger values are not believed. */
const LONGEST_WAY_MS = 2000

/** What a neighbour says about itself; undefined for what it does not say, or says wrongly. */
export interface SaidKeys {
  isSeeder: boolean
  /** A lower bound of the round trip, in seconds. */
  leastRoundTripS: number | undefined
  site: string | undefined
  siteKey: string | undefined
  rank: number | undefined
  metadataSize: number | undefined
  /** The longest block that may be requested from it. */
  largestUpload: number | undefined
  /** Where it listens. */
  port: number | undefined
}

/** What we say about ourselves. `leastRoundTripS`: undefined for a connection that the other side has opened. */
export function ownKeys(local: LocalPeer, leastRoundTripS: number | undefined): Record<string, unknown> {
  return {
    v: 'shipit-murder',
    p: local.listenPort,
    reqq: 1024,
    [BLOCK_KEY]: local.largestUpload,
    ...(leastRoundTripS === undefined ? {} : { [WAY_KEY]: Math.round(leastRoundTripS * 1000) }),
    ...(local.isSeeder ? { [SEEDER_KEY]: 1 } : {}),
    ...newsKeys(local),
  }
}

/** What may become known only after the handshake: our site, and the size of our metadata. */
export function newsKeys({ site, rank, peerId, metadataSize }: LocalPeer): Record<string, string | number> {
  return {
    ...(metadataSize === undefined ? {} : { [METADATA_SIZE_KEY]: metadataSize }),
    ...(site ? { [SITE_KEY]: site.name, [MEMBER_KEY]: site.key ?? peerId } : {}),
    ...(site && rank !== undefined ? { [RANK_KEY]: rank } : {}),
  }
}

export function readKeys(content: Record<string, unknown>): SaidKeys {
  const { [RANK_KEY]: rank, [METADATA_SIZE_KEY]: metadataSize } = content
  const wayMs = Number(content[WAY_KEY])
  const largest = Number(content[BLOCK_KEY])
  const port = Number(content.p)
  return {
    isSeeder: content[SEEDER_KEY] === 1,
    leastRoundTripS: wayMs > 0 && wayMs <= LONGEST_WAY_MS ? wayMs / 1000 : undefined,
    site: textOf(content[SITE_KEY]),
    siteKey: textOf(content[MEMBER_KEY]),
    rank: isRank(rank) ? rank : undefined,
    metadataSize: typeof metadataSize === 'number' ? metadataSize : undefined,
    largestUpload: largest >= STANDARD_BLOCK_BYTES && largest <= LARGEST_BLOCK_BYTES ? largest : undefined,
    port: port > 0 && port < 65536 ? port : undefined,
  }
}

/** A short text from the extended handshake; undefined for anything else. */
function textOf(value: unknown): string | undefined {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString() : value
  return typeof text === 'string' && text !== '' && text.length <= MAX_NAME_CHARACTERS ? text : undefined
}
