import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../../system/addresses.ts'
import { sharedRead } from '../../wire/shared-read.ts'
import type { Connection, Dialed, Origin } from '../connection.ts'
import { RoundTripClock } from '../subflows/round-trip-clock.ts'
import { CrossingDials } from './crossing-dials.ts'
import type { PeerLinks } from './peer-links.ts'
import type { PeerList } from './peer-list.ts'

const DIAL_TIMEOUT_MS = 5000

interface DialerContext {
  peerList: PeerList
  links: PeerLinks | undefined
  nowS: () => number
  /** Makes the connection of a socket that has just been opened. */
  opened: (socket: Socket, origin: Origin) => Connection
}

/** Opens connections to other peers: TCP connections, links, and further connections to neighbours. */
export class Dialer {
  readonly crossing = new CrossingDials()
  /** Number of TCP connections to new peers that are being opened. */
  underWay = 0
  readonly #context: DialerContext
  #stopped = false

  constructor(context: DialerContext) {
    this.#context = context
  }

  stop(): void {
    this.#stopped = true
  }

  /** `target` is the address, parsed. */
  dial(address: string, target: Endpoint): void {
    const { peerList, links, nowS } = this.#context
    peerList.dialing(address)
    if (links?.addresses.includes(address)) return void this.#dialLink(links, address, target.host)
    this.underWay++
    this.crossing.begin(address)
    const failed = () => {
      this.underWay--
      this.crossing.end(address)
      peerList.ended(address, nowS())
    }
    this.#open(target, failed, (took) => {
      this.underWay--
      peerList.connected(address, nowS())
      return { address, took, isSubflow: false }
    })
  }

  /** Opens one more connection to a neighbour. */
  dialSubflow(address: string, target: Endpoint, failed: () => void): void {
    this.#open(target, failed, (took) => ({ address, took, isSubflow: true }))
  }

  /** A link may wait long: the other side takes it only when it has its order. */
  async #dialLink(links: PeerLinks, address: string, linkTo: string): Promise<void> {
    const { peerList, nowS, opened } = this.#context
    try {
      const socket = await links.connect(address)
      if (this.#stopped || socket.destroyed) throw new Error('it has ended')
      peerList.connected(address, nowS())
      const took = { mostS: Number.POSITIVE_INFINITY, leastS: 0 }
      opened(socket, { linkTo, dialed: { address, took, isSubflow: false } })
      socket.resume()
    } catch {
      peerList.ended(address, nowS())
    }
  }

  #open(target: Endpoint, failed: () => void, connected: (took: Dialed['took']) => Dialed): void {
    const clock = new RoundTripClock()
    let connection: Connection | undefined
    const onread = sharedRead((bytes) => connection?.wire.take(bytes))
    const socket = connect({ ...target, timeout: DIAL_TIMEOUT_MS, onread })
    socket.once('timeout', () => socket.destroy())
    socket.once('error', () => {})
    socket.once('close', failed)
    socket.once('close', () => clock.stop())
    socket.once('connect', () => {
      const took = clock.stop()
      socket.off('close', failed)
      socket.setTimeout(0)
      connection = this.#context.opened(socket, { dialed: connected(took) })
    })
  }
}
