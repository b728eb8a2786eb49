import type { Downloader } from '../../downloader.ts'
import type { SwarmContext } from '../../swarm-context.ts'
import { SUBFLOW_EXTENSION } from '../../wire/extensions.ts'
import type { Connection } from '../connection.ts'
import type { PeerListener } from '../peer-listener.ts'
import { MAX_CONNECTIONS_TO_ONE, SubflowCount } from './subflow-count.ts'

/** To all neighbours together. */
const MAX_SUBFLOWS = 128
/** After one that could not be opened. */
const DIAL_PAUSE_S = 5
/** A subflow that shall end does so when nothing is owed over it, and after so many round trips; at the latest after so long. */
const ENDING_ROUND_TRIPS = 2
const LONGEST_ENDING_S = 30
/** One of several connections that owes blocks and brings none for so long is given up. */
const STUCK_S = 5
/** So many of one neighbour are let in at once, and from then on one in so many seconds. */
const BURST = 32
const REFILL_S = 1

interface Neighbour {
  readonly connection: Connection
  readonly count: SubflowCount
  readonly subflows: Set<Connection>
  /** Those that are to end, and since when. */
  readonly ending: Map<Connection, number>
  readonly joinedAtS: number
  /** How many were let in so far. */
  admitted: number
  /** As told to the neighbour. */
  told: number
  /** How many connections the neighbour would like. */
  theirWanted: number
  dialing: number
  /** No more are dialed before this time. */
  dialsFromS: number
}

/**
 * Several connections to one neighbour, where the way is long: one TCP flow fills such a way only while nothing is lost. The
 * first one is the neighbour, as for everybody else; further ones carry blocks and requests for them only (`flows.ts`). The
 * downloading side decides how many (`subflow-count.ts`); the side that opened the first opens and ends them. Only between agents.
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
    // It is the beginning that more connections make quick: at once when the first requests have left.
    connection.wire.once('unchoke', () => setImmediate(() => this.#decide(neighbour)))
  }

  leave({ id }: Connection): void {
    const neighbour = this.#neighbours.get(id)
    if (!neighbour) return
    this.#neighbours.delete(id)
    for (const subflow of neighbour.subflows) subflow.close()
  }

  /** One more connection is there. It is closed unless it is to a neighbour that may have it. */
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

  /** It may have been one that was never added. */
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

  /** A dialed subflow could not be opened, or the other side did not want it. */
  #failed(neighbour: Neighbour | undefined): void {
    if (!neighbour?.dialing) return
    neighbour.dialing--
    neighbour.dialsFromS = this.#context.nowS() + DIAL_PAUSE_S
  }

  /** What is asked is still answered: so nothing is lost. */
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
    flows.balance(nowS)
    flows.stuck(STUCK_S, nowS)?.destroy()
  }

  #sizeWindow({ connection: { id, flows } }: Neighbour): void {
    const { scheduler } = this.#context
    scheduler.setFlows(id, flows.window(scheduler.wayTo(id).roundTripS))
  }
}
