import type { Downloader } from '../../downloader.ts'
import type { SwarmContext } from '../../swarm-context.ts'
import { SUBFLOW_EXTENSION } from '../../wire/extensions.ts'
import type { Connection } from '../connection.ts'
import type { PeerListener } from '../peer-listener.ts'
import { MAX_CONNECTIONS_TO_ONE, SubflowCount } from './subflow-count.ts'

/** Limit for all neighbours together. */
const MAX_SUBFLOWS = 128
/** Pause after a failed attempt to open one. */
const DIAL_PAUSE_S = 5
/** A subflow that shall end closes after so many round trips with nothing pending, or at the latest after this time. */
const ENDING_ROUND_TRIPS = 2
const LONGEST_ENDING_S = 30
/** A connection is given up, if there are several, when it owes blocks and delivers none for this long. */
const STUCK_S = 5
/** One neighbour may open so many at once, and then one per `REFILL_S`. */
const BURST = 32
const REFILL_S = 1

interface Neighbour {
  readonly connection: Connection
  readonly count: SubflowCount
  readonly subflows: Set<Connection>
  /** Subflows that shall end, and since when. */
  readonly ending: Map<Connection, number>
  readonly joinedAtS: number
  /** How many were accepted so far. */
  admitted: number
  /** The number that the neighbour was told. */
  told: number
  /** How many connections the neighbour would like. */
  theirWanted: number
  dialing: number
  /** No more are dialed before this time. */
  dialsFromS: number
}

/**
 * Several connections to one neighbour over a long path, because a single TCP flow fills such a path only while no packet is
 * lost. The first connection is the neighbour, as everywhere else. Further ones carry only blocks and requests (`flows.ts`). The
 * downloading side decides how many (`subflow-count.ts`); the side that opened the first opens and ends them. Only between
 * agents.
 */
export class Subflows {
  readonly #context: SwarmContext
  readonly #downloader: Downloader
  readonly #listener: PeerListener
  readonly #dial: (neighbour: Connection, failed: () => void) => void
  readonly #neighbours = new Map<number, Neighbour>()
  /** The neighbour of each subflow. */
  readonly #owners = new Map<Connection, Neighbour>()

  constructor(
    context: SwarmContext,
    downloader: Downloader,
    listener: PeerListener,
    dial: (neighbour: Connection, failed: () => void) => void,
  ) {
    this.#context = context
    this.#downloader = downloader
    this.#listener = listener
    this.#dial = dial
  }

  join(connection: Connection): void {
    const neighbour: Neighbour = {
      connection,
      count: new SubflowCount(),
      subflows: new Set(),
      ending: new Map(),
      joinedAtS: this.#context.nowS(),
      admitted: 0,
      told: 1,
      theirWanted: 1,
      dialing: 0,
      dialsFromS: 0,
    }
    this.#neighbours.set(connection.id, neighbour)
    connection.wire.on('extended', (extension, content) => {
      if (extension !== SUBFLOW_EXTENSION || content.length !== 1) return
      neighbour.theirWanted = Math.min(MAX_CONNECTIONS_TO_ONE, Math.max(1, content[0] as number))
      this.#adjust(neighbour)
    })
    // More connections help most at the beginning, so they are opened as soon as the first requests have left.
    connection.wire.once('unchoke', () => setImmediate(() => this.#decide(neighbour)))
  }

  leave({ id }: Connection): void {
    const neighbour = this.#neighbours.get(id)
    if (!neighbour) return
    this.#neighbours.delete(id)
    for (const subflow of neighbour.subflows) subflow.close()
  }

  /** Adds a further connection. Closes it unless it belongs to a neighbour that may have it. */
  add(subflow: Connection): void {
    const neighbour = this.#find(
      ({ connection: { peerId, remoteHost } }) =>
        peerId === subflow.peerId && remoteHost === subflow.remoteHost,
    )
    if (!neighbour || !this.#mayHaveMore(neighbour)) return subflow.close()
    neighbour.admitted++
    const { connection, subflows } = neighbour
    if (subflow.outgoing) neighbour.dialing--
    subflows.add(subflow)
    this.#owners.set(subflow, neighbour)
    subflow.uploads.joinTo(connection.uploads)
    subflow.wire.on('choke', () => connection.flows.stop(subflow.wire))
    connection.flows.add(subflow.wire)
    this.#listener.hearBlocks(connection, subflow.wire)
    subflow.wire.on('piece', () => this.#sizeWindow(neighbour))
    this.#sizeWindow(neighbour)
  }

  /** The connection may never have been added. */
  ended(subflow: Connection): void {
    const neighbour = this.#owners.get(subflow)
    if (!neighbour && !subflow.outgoing) return
    if (!neighbour)
      return this.#failed(this.#find(({ connection }) => connection.address === subflow.address))
    this.#owners.delete(subflow)
    neighbour.subflows.delete(subflow)
    neighbour.ending.delete(subflow)
    const missing = neighbour.connection.flows.remove(subflow.wire)
    this.#sizeWindow(neighbour)
    if (missing.length > 0) this.#downloader.lost(neighbour.connection, missing)
  }

  /** Called often. */
  tick(): void {
    for (const neighbour of this.#neighbours.values()) {
      this.#decide(neighbour)
      const nowS = this.#context.nowS()
      if (neighbour.subflows.size > 0) this.#balance(neighbour, nowS)
      for (const subflow of neighbour.subflows) subflow.uploads.pump()
      for (const [subflow, sinceS] of neighbour.ending) this.#endIfIdle(neighbour, subflow, nowS - sinceS)
    }
  }

  /** How many there should be now. */
  #decide(neighbour: Neighbour): void {
    const { connection, count } = neighbour
    if (!connection.wire.peerExtendedMapping[SUBFLOW_EXTENSION]) return
    const way = this.#context.scheduler.wayTo(connection.id)
    const wanted = count.update({ nowS: this.#context.nowS(), bytes: connection.receivedBytes, ...way })
    if (!connection.outgoing && wanted !== neighbour.told) {
      neighbour.told = wanted
      connection.wire.extended(SUBFLOW_EXTENSION, Buffer.from([wanted]))
    }
    this.#adjust(neighbour)
  }

  #find(isIt: (neighbour: Neighbour) => boolean): Neighbour | undefined {
    return [...this.#neighbours.values()].find(isIt)
  }

  /** Opens subflows that are wanted and ends others. Only the side that opened the first connection does this. */
  #adjust(neighbour: Neighbour): void {
    const { connection, count, subflows, ending, theirWanted } = neighbour
    if (!connection.outgoing) return
    const live = [...subflows].filter((subflow) => !ending.has(subflow))
    const wanted = Math.max(count.wanted, theirWanted) - 1
    for (const subflow of live.slice(wanted)) {
      ending.set(subflow, this.#context.nowS())
      connection.flows.stop(subflow.wire)
      subflow.wire.choke()
    }
    if (this.#context.nowS() < neighbour.dialsFromS) return
    for (let missing = wanted - live.length - neighbour.dialing; missing > 0; missing--) {
      neighbour.dialing++
      this.#dial(connection, () => this.#failed(neighbour))
    }
  }

  /** A dialed subflow failed, or the other side refused it. */
  #failed(neighbour: Neighbour | undefined): void {
    if (!neighbour?.dialing) return
    neighbour.dialing--
    neighbour.dialsFromS = this.#context.nowS() + DIAL_PAUSE_S
  }

  /** Pending requests are still answered, so nothing is lost. */
  #endIfIdle({ connection }: Neighbour, { wire, uploads }: Connection, elapsedS: number): void {
    const isIdle = connection.flows.owedOver(wire) === 0 && uploads.isIdle
    const { roundTripS } = this.#context.scheduler.wayTo(connection.id)
    if (elapsedS > LONGEST_ENDING_S) wire.destroy()
    else if (isIdle && elapsedS > ENDING_ROUND_TRIPS * roundTripS) wire.end()
  }

  #mayHaveMore({ connection, subflows, admitted, joinedAtS }: Neighbour): boolean {
    if (!connection.wire.peerExtendedMapping[SUBFLOW_EXTENSION]) return false
    if (subflows.size >= MAX_CONNECTIONS_TO_ONE - 1 || this.#owners.size >= MAX_SUBFLOWS) return false
    return admitted < BURST + (this.#context.nowS() - joinedAtS) / REFILL_S
  }

  #balance(neighbour: Neighbour, nowS: number): void {
    const { flows } = neighbour.connection
    this.#sizeWindow(neighbour)
    flows.balance(nowS, this.#context.scheduler.picker.open.size === 0)
    flows.stuck(STUCK_S, nowS)?.destroy()
  }

  #sizeWindow({ connection: { id, flows } }: Neighbour): void {
    const { scheduler } = this.#context
    scheduler.setFlows(id, flows.window(scheduler.wayTo(id).roundTripS))
  }
}
