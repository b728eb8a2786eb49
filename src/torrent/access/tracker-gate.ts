import { createHash, timingSafeEqual } from 'node:crypto'
import { parse } from 'node:querystring'
import { addressMatcher, plainAddress } from '../../system/addresses.ts'
import { trackerPath } from './secret.ts'

/** Allows requests to a tracker with this secret, for this torrent, from these addresses. */
export interface Permit {
  /** Without a secret, requests to `/announce` are answered. */
  secret?: string
  /** In hex. Any torrent when missing. */
  infoHash?: string
  /** Addresses and networks (`10.0.0.0/8`). Any address when missing. */
  addresses?: string[]
}

/**
 * The URL as an open tracker takes it; or a refusal. The text of `refusal` is sent to callers that know the key; others get
 * a 404, as if there was no tracker.
 */
export type Admission = { url: string } | { url?: undefined; refusal?: string }

const ANNOUNCE = /^\/(?:([\w-]{43})\/)?announce\?(.*)$/s

/**
 * Decides about one request, `/<key>/announce?…` or `/announce?…`, from an address. `told`: the one that others would be told
 * instead. Compares keys in constant time.
 */
export function admit(
  permits: readonly Permit[],
  requested: string,
  from: string,
  told: string = from,
): Admission {
  const [, key = '', query] = ANNOUNCE.exec(requested) ?? []
  if (query === undefined) return {}
  const known = permits.filter(({ secret }) => isSame(key, secret === undefined ? '' : trackerPath(secret)))
  if (known.length === 0) return {}
  const infoHash = infoHashIn(query)
  const permit = known.find((one) => one.infoHash === undefined || one.infoHash.toLowerCase() === infoHash)
  if (!permit) return { refusal: 'this tracker does not serve that torrent' }
  const isMember = addressMatcher(permit.addresses ?? ['0.0.0.0/0', '::/0'])
  const address = plainAddress(from)
  if (!isMember(address)) return { refusal: `${address} is not an address of this fleet` }
  if (!isMember(plainAddress(told))) return { refusal: 'the announced address is not one of this fleet' }
  return { url: `/announce?${query}` }
}

function isSame(given: string, right: string): boolean {
  return timingSafeEqual(digest(given), digest(right))
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Parsed the way the tracker module does, so that both see the same infohash. */
function infoHashIn(query: string): string | undefined {
  const { info_hash } = parse(query, undefined, undefined, { decodeURIComponent: unescape })
  return typeof info_hash === 'string' ? Buffer.from(info_hash, 'latin1').toString('hex') : undefined
}
