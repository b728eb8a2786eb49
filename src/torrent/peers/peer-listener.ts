import type { Downloader } from '../downloader.ts'
import { PieceSet } from '../scheduler/piece-set.ts'
import type { SwarmContext } from '../swarm-context.ts'
import type { Uploader } from '../uploader.ts'
import type { PeerWire } from '../wire/peer-wire.ts'
import type { Connection } from './connection.ts'
import { sourceOf } from './sources.ts'

/** Passes on what neighbours say about themselves and their pieces, and the blocks that they send. */
export class PeerListener {
  /** Whether any neighbour had something that is missing here, or is our seeder. */
  foundContent = false
  readonly #context: SwarmContext
  readonly #downloader: Downloader
  readonly #uploader: Uploader

  constructor(context: SwarmContext, downloader: Downloader, uploader: Uploader) {
    this.#context = context
    this.#downloader = downloader
    this.#uploader = uploader
  }

  join(connection: Connection): void {
    const { id, wire } = connection
    const { pieceCount } = this.#context.scheduler
    this.#context.scheduler.join(id, connection.largestBlock, this.#context.nowS())
    this.describe(connection)
    wire.on('extended-handshake', () => this.describe(connection))
    wire.on('bitfield', (bits) => this.#peerHas(connection, PieceSet.fromBitfield(bits, pieceCount)))
    wire.on('have-all', () => this.#peerHas(connection, new PieceSet(pieceCount).fill()))
    wire.on('have-none', () => this.#peerHas(connection, []))
    wire.on('have', (piece) => this.#peerHas(connection, [piece], this.#context.nowS()))
    wire.on('choke', () => this.#context.scheduler.choked(id, wire.hasFast))
    wire.on('unchoke', () => {
      this.#context.scheduler.unchoked(id)
      this.#downloader.requestSoon(connection)
    })
    this.hearBlocks(connection, wire)
  }

  /** `wire` is the neighbour's first connection or a further one. */
  hearBlocks(connection: Connection, wire: PeerWire): void {
    wire.on('piece', (piece, offset, block) => {
      const { length } = block
      connection.receivedBytes += length
      connection.flows.arrived(wire, { piece, offset, length }, this.#context.nowS())
      this.#context.meter.received(length, connection.isSeeder)
      this.#context.sources.received(sourceOf(connection), length)
      this.#downloader.arrived(connection, { piece, offset, length }, block)
    })
    wire.on('reject', (piece, offset, length) => {
      connection.flows.rejected(wire, { piece, offset, length })
      this.#downloader.rejected(connection, { piece, offset, length })
    })
  }

  /** The neighbour's description of itself, or its connection, has changed. */
  describe({ id, largestBlock, isSeeder, roundTripS, leastRoundTripS }: Connection): void {
    this.#context.scheduler.describe(id, { largestBlock, isSeeder })
    this.#context.scheduler.measured(id, roundTripS, leastRoundTripS)
    this.foundContent ||= isSeeder
  }

  /** `newAtS`: when the peer got the pieces, if it has just got them. */
  #peerHas(connection: Connection, pieces: Iterable<number>, newAtS?: number): void {
    let isUseful = false
    for (const piece of pieces)
      isUseful = this.#context.scheduler.peerHas(connection.id, piece, newAtS) || isUseful
    this.#uploader.peerHas(connection, pieces)
    if (!isUseful) return
    this.foundContent = true
    connection.wire.interested()
    this.#downloader.requestSoon(connection)
  }
}
