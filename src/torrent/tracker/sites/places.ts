import { isIPv6 } from 'node:net'
import { addressMatcher } from '../../../system/addresses.ts'

/** Machines with a shorter round trip count as in one place. */
export const FAR_MS = 10
/** Round trips to public networks at one place differ at most by this part, or by this time. */
const SAME_WAY = 0.03
const SAME_WAY_MS = 0.5
/** At most so many places are told apart. */
const MAX_PLACES = 256

const isPrivate = addressMatcher([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
])

interface Place {
  isPrivate: boolean
  roundTripMs: number
}

/**
 * Groups networks into places, as seen from one machine. Near networks are in the first place. Of the others, each private
 * network is a place of its own. Public networks are grouped by their round trip.
 */
export class Places {
  readonly #far: Place[] = []

  /** The name of the place of this new network. */
  nameOf(network: string, roundTripMs: number): string {
    if (roundTripMs < FAR_MS) return nameOf(0)
    const place = { isPrivate: isPrivate(network), roundTripMs }
    const known = this.#far.findIndex((other) => isSame(other, place))
    if (known >= 0) return nameOf(known + 1)
    if (this.#far.length + 1 >= MAX_PLACES) return nameOf(0)
    return nameOf(this.#far.push(place))
  }
}

/** No site name begins like this, so names from users and found places are never confused. */
const nameOf = (number: number) => `~${number + 1}`

export const isPlaceName = (text: string): boolean => /^~\d{1,4}$/.test(text)

function isSame(one: Place, other: Place): boolean {
  const most = Math.max(SAME_WAY_MS, SAME_WAY * one.roundTripMs)
  return !one.isPrivate && !other.isPrivate && Math.abs(one.roundTripMs - other.roundTripMs) <= most
}

/** The first address of the network of an address: a /24, for IPv6 a /64. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return `${address.slice(0, address.lastIndexOf('.'))}.0`
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(8 - groups.length - last.length).fill('0')
  const network = [...groups, ...zeros, ...last].slice(0, 4)
  return `${network.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::`
}
