import { isIP } from 'node:net'
import bencode from 'bencode'
import { formatAddress, isLoopback, parseAddress } from '../../system/addresses.ts'
import type { DialFilter } from '../access/dial-filter.ts'
import { decodeUntrusted } from '../encoding/bencode.ts'
import { decodeCompact, encodeCompact } from '../encoding/compact.ts'
import { PEX_EXTENSION } from '../wire/extensions.ts'
import type { Connection } from './connection.ts'

/** Time between two messages to one neighbour. The first one leaves at once, because a newcomer is in a hurry. */
const INTERVAL_S = 1
/** Addresses in one message (BEP 11). */
const MAX_PER_MESSAGE = 50
/** Most addresses that we send to one neighbour, or take from it. No swarm needs more. */
const MAX_PER_NEIGHBOUR = 200
/** So many messages of one neighbour are read at once, and then one per `INTERVAL_S`. */
const MESSAGE_BURST = 10

interface Partner {
  connection: Connection
  joinedAtS: number
  /** Addresses that it was sent. */
  sent: Set<string>
  sentAtS: number
  /** The `#version` that it was sent completely. */
  sentVersion: number
  receivedAddresses: number
  receivedMessages: number
}

/**
 * Peer exchange (BEP 11): agents send each other the addresses of their neighbours, so that a swarm holds together without a
 * tracker. Only agents take part. Only addresses of open connections are sent, each at most once to each neighbour, so the
 * traffic does not grow with the fleet. `#mayDial` says which addresses are passed on and used, `#mayMeet` who hears of whom.
 */
export class PeerExchange {
  readonly #partners = new Map<number, Partner>()
  /** Grows whenever there is an address that others may be sent. */
  #version = 0
  readonly #learn: (addresses: string[]) => void
  readonly #nowS: () => number
  readonly #mayDial: DialFilter
  readonly #mayMeet: (one: Connection, other: Connection) => boolean

  constructor(
    learn: (addresses: string[]) => void,
    nowS: () => number,
    mayDial: DialFilter,
    mayMeet: (one: Connection, other: Connection) => boolean,
  ) {
    this.#learn = learn
    this.#nowS = nowS
    this.#mayDial = mayDial
    this.#mayMeet = mayMeet
  }

  join(connection: Connection): void {
    const partner: Partner = {
      connection,
      joinedAtS: this.#nowS(),
      sent: new Set(),
      sentAtS: 0,
      sentVersion: 0,
      receivedAddresses: 0,
      receivedMessages: 0,
    }
    this.#partners.set(connection.id, partner)
    this.#version++
    connection.wire.on('extended', (extension, content) => {
      if (extension === PEX_EXTENSION) this.#receive(partner, content)
    })
    connection.wire.on('extended-handshake', () => {
      this.#version++
      this.#send(partner)
    })
    this.#send(partner)
  }

  leave({ id }: Connection): void {
    this.#partners.delete(id)
  }

  /** Called often. */
  tick(): void {
    const nowS = this.#nowS()
    for (const partner of this.#partners.values()) {
      if (partner.sentVersion !== this.#version && nowS - partner.sentAtS >= INTERVAL_S) this.#send(partner)
    }
  }

  #send(partner: Partner): void {
    const { connection, sent } = partner
    if (!takesPart(connection) || sent.size >= MAX_PER_NEIGHBOUR) return
    partner.sentVersion = this.#version
    const fresh: string[] = []
    for (const { connection: other } of this.#partners.values()) {
      const address = other === connection || !takesPart(other) ? undefined : listenAddress(other)
      if (address === undefined || sent.has(address)) continue
      if (isLoopback(other.remoteHost) && !isLoopback(connection.remoteHost)) continue
      if (!this.#mayDial(address, other.remoteHost) || !this.#mayMeet(connection, other)) continue
      if (fresh.length === MAX_PER_MESSAGE) {
        partner.sentVersion = 0
        break
      }
      fresh.push(address)
    }
    if (fresh.length === 0) return
    for (const address of fresh) sent.add(address)
    partner.sentAtS = this.#nowS()
    connection.wire.extended(PEX_EXTENSION, encodePex(fresh))
  }

  #receive(partner: Partner, content: Uint8Array): void {
    if (!takesPart(partner.connection) || partner.receivedAddresses >= MAX_PER_NEIGHBOUR) return
    if (partner.receivedMessages >= MESSAGE_BURST + (this.#nowS() - partner.joinedAtS) / INTERVAL_S) return
    partner.receivedMessages++
    const room = MAX_PER_NEIGHBOUR - partner.receivedAddresses
    const addresses = decodePex(content).slice(0, Math.min(MAX_PER_MESSAGE, room))
    partner.receivedAddresses += addresses.length
    this.#learn(addresses.filter((address) => this.#mayDial(address, partner.connection.remoteHost)))
  }
}

/** Other clients do not take part (BEP 27). */
const takesPart = ({ wire }: Connection) => wire.isAgent && Boolean(wire.peerExtendedMapping[PEX_EXTENSION])

/** The address at which others may reach this neighbour: the IP address it comes from and the port it listens on. */
function listenAddress({ address, remoteHost, isLink }: Connection): string | undefined {
  if (isLink) return undefined
  const { port } = parseAddress(address ?? '') ?? {}
  if (port === undefined || isIP(remoteHost) === 0) return undefined
  return formatAddress(remoteHost, port)
}

const MAX_GUESSES = 16

/** Where some agents of a fleet probably listen: each takes the first free port. For use when no tracker answers. */
export function guessAddresses(hosts: readonly string[], port: number, random: () => number): string[] {
  if (port === 0) return []
  return hosts
    .filter((host) => isIP(host) > 0) // networks may be among them
    .map((host) => ({ host, order: random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, MAX_GUESSES)
    .map(({ host }) => formatAddress(host, port))
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

/** Malformed messages yield no addresses. */
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
