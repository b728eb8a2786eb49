import { BlockList, isIP } from 'node:net'
import bencode from 'bencode'
import { decodeUntrusted } from '../encoding/bencode.ts'
import { decodeCompact, encodeCompact, formatAddress, parseAddress } from '../encoding/compact.ts'
import { PEX_EXTENSION } from '../wire/extensions.ts'
import type { Connection } from './connection.ts'

/** Seconds between two messages to one neighbour, after a first one at once: the newcomer is in a hurry. */
const INTERVAL = 1
/** Addresses in one message (BEP 11), and those ever told to, or believed of, one neighbour: no swarm needs more. */
const MOST_AT_ONCE = 50
const MOST_IN_ALL = 200
/** Messages of one neighbour that are read at once, before one at a time in `INTERVAL`. */
const BURST = 10

/** What is known of one neighbour. */
interface Acquaintance {
  connection: Connection
  since: number
  told: Set<string>
  toldAt: number
  /** `news` when it was told of everybody. */
  toldOf: number
  /** Addresses and messages. */
  heard: number
  messages: number
}

/**
 * Agents tell each other whom they are connected to, so that a swarm finds together without a tracker. Only agents are
 * told, only connections are told of, and each neighbour of each at most once: traffic does not grow with the fleet.
 * Which addresses of others are believed: `believable`.
 */
export class PeerExchange {
  readonly #acquaintances = new Map<number, Acquaintance>()
  /** How often somebody has become known whom others may be told of. */
  #news = 0
  readonly #learn: (addresses: string[]) => void
  readonly #now: () => number
  readonly #fleet: BlockList | undefined

  /** `now` in seconds. `hosts` are the fleet's IP addresses, where they are known: then no others are believed. */
  constructor(learn: (addresses: string[]) => void, now: () => number, hosts?: readonly string[]) {
    this.#learn = learn
    this.#now = now
    if (hosts) this.#fleet = listOf(hosts)
  }

  join(connection: Connection): void {
    const since = this.#now()
    const one: Acquaintance = {
      connection,
      since,
      told: new Set(),
      toldAt: 0,
      toldOf: 0,
      heard: 0,
      messages: 0,
    }
    this.#acquaintances.set(connection.id, one)
    this.#news++
    connection.wire.on('extended', (name: unknown, content: unknown) => {
      if (name === PEX_EXTENSION) this.#hear(one, content as Uint8Array)
      else if (name === 'handshake') this.#introduced(one)
    })
    this.#tell(one)
  }

  leave({ id }: Connection): void {
    this.#acquaintances.delete(id)
  }

  /** Called often. */
  tick(): void {
    const now = this.#now()
    for (const one of this.#acquaintances.values()) {
      if (one.toldOf !== this.#news && now - one.toldAt >= INTERVAL) this.#tell(one)
    }
  }

  #introduced(one: Acquaintance): void {
    this.#news++
    this.#tell(one)
  }

  #tell(one: Acquaintance): void {
    const { connection, told } = one
    if (!speaks(connection) || told.size >= MOST_IN_ALL) return
    one.toldOf = this.#news
    const fresh: string[] = []
    for (const { connection: other } of this.#acquaintances.values()) {
      const address = other === connection || !speaks(other) ? undefined : addressOf(other)
      if (address === undefined || told.has(address)) continue
      if (isLoopback(other.remoteHost) && !isLoopback(connection.remoteHost)) continue
      if (fresh.length === MOST_AT_ONCE) {
        one.toldOf = 0
        break
      }
      fresh.push(address)
    }
    if (fresh.length === 0) return
    for (const address of fresh) told.add(address)
    one.toldAt = this.#now()
    connection.wire.extended(PEX_EXTENSION, encodePex(fresh))
  }

  #hear(one: Acquaintance, content: Uint8Array): void {
    if (!speaks(one.connection) || one.heard >= MOST_IN_ALL) return
    if (one.messages >= BURST + (this.#now() - one.since) / INTERVAL) return
    one.messages++
    const named = decodePex(content).slice(0, Math.min(MOST_AT_ONCE, MOST_IN_ALL - one.heard))
    one.heard += named.length
    this.#learn(named.filter((address) => this.#believable(address, one.connection)))
  }

  /** Those of the fleet; of this machine only by somebody on it. */
  #believable(address: string, by: Connection): boolean {
    const { host = '' } = parseAddress(address) ?? {}
    if (isLoopback(host)) return isLoopback(by.remoteHost)
    return this.#fleet ? this.#fleet.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4') : true
  }
}

/** A stranger is neither told nor heard (BEP 27). */
const speaks = ({ wire }: Connection) => wire.isAgent && Boolean(wire.peerExtendedMapping[PEX_EXTENSION])

/** Where others reach this neighbour: at the address it comes from, and the port it listens on. */
function addressOf({ address, remoteHost }: Connection): string | undefined {
  const { port } = parseAddress(address ?? '') ?? {}
  if (port === undefined || isIP(remoteHost) === 0) return undefined
  return formatAddress(remoteHost, port)
}

const isLoopback = (host: string): boolean => host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** How many of a fleet are dialled without being told of. */
const MOST_GUESSES = 16

/** Where some of a fleet may listen: each takes the first port that is free. For when there is no tracker to ask. */
export function guessAddresses(hosts: readonly string[], port: number, random: () => number): string[] {
  if (port === 0) return []
  return hosts
    .map((host) => ({ host, order: random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, MOST_GUESSES)
    .map(({ host }) => formatAddress(host, port))
}

function listOf(hosts: readonly string[]): BlockList {
  const list = new BlockList()
  for (const host of hosts) {
    const version = isIP(host)
    if (version !== 0) list.addAddress(host, version === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

function encodePex(addresses: readonly string[]): Buffer {
  const added = encodeCompact(addresses, 4)
  const added6 = encodeCompact(addresses, 6)
  const content = {
    added,
    'added.f': Buffer.alloc(added.length / 6),
    added6,
    'added6.f': Buffer.alloc(added6.length / 18),
    dropped: Buffer.alloc(0),
    dropped6: Buffer.alloc(0),
  }
  return Buffer.from(bencode.encode(content))
}

/** What is no message of this extension names nobody. */
function decodePex(content: Uint8Array): string[] {
  try {
    const { added, added6 } = decodeUntrusted(content) as Record<string, unknown>
    return [
      ...(added instanceof Uint8Array ? decodeCompact(added, 4) : []),
      ...(added6 instanceof Uint8Array ? decodeCompact(added6, 6) : []),
    ]
  } catch {
    return []
  }
}
