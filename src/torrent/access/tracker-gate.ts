import { createHash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { parse } from 'node:querystring'
import { trackerPath } from './secret.ts'

/** Whom a tracker answers: who knows the secret, for this torrent, from these addresses. */
export interface Permit {
  /** Without one, whoever asks at `/announce`. */
  secret?: string
  /** Hex; any torrent when missing. */
  infoHash?: string
  /** Addresses and networks (`10.0.0.0/8`); any when missing. */
  addresses?: string[]
}

/** The request as a tracker without a gate takes it; or nothing, as if nobody was there; or what to tell a friend. */
export type Admission = { url: string } | { url?: undefined; refusal?: string }

const ANNOUNCE = /^\/(?:([\w-]{43})\/)?announce\?(.*)$/s

/** Decides about one request to a tracker, `/<key>/announce?…` or `/announce?…`, from an address. Compares keys in constant time. */
export function admit(permits: readonly Permit[], requested: string, from: string): Admission {
  const [, key = '', query] = ANNOUNCE.exec(requested) ?? []
  if (query === undefined) return {}
  const known = permits.filter(({ secret }) => isSame(key, secret === undefined ? '' : trackerPath(secret)))
  if (known.length === 0) return {}
  const infoHash = infoHashIn(query)
  const permit = known.find((one) => one.infoHash === undefined || one.infoHash.toLowerCase() === infoHash)
  if (!permit) return { refusal: 'this tracker does not serve that torrent' }
  const address = from.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!isAmong(permit.addresses, address)) return { refusal: `${address} is not an address of this fleet` }
  return { url: `/announce?${query}` }
}

function isSame(given: string, right: string): boolean {
  return timingSafeEqual(digest(given), digest(right))
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Read as the tracker module does, so that it cannot see another one. */
function infoHashIn(query: string): string | undefined {
  const { info_hash } = parse(query, undefined, undefined, { decodeURIComponent: unescape })
  return typeof info_hash === 'string' ? Buffer.from(info_hash, 'latin1').toString('hex') : undefined
}

function isAmong(addresses: readonly string[] | undefined, address: string): boolean {
  if (addresses === undefined) return true
  const family = isIP(address)
  return family !== 0 && listOf(addresses).check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** What is neither an address nor a network is passed over. */
function listOf(addresses: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of addresses) {
    const [address = '', length] = entry.split('/')
    const family = isIP(address)
    if (family === 0) continue
    const type = family === 6 ? 'ipv6' : 'ipv4'
    const bits = length === undefined ? (family === 6 ? 128 : 32) : Number(length)
    if (Number.isInteger(bits) && bits >= 0 && bits <= (family === 6 ? 128 : 32))
      list.addSubnet(address, bits, type)
  }
  return list
}
