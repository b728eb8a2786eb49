import type { Metainfo } from './metainfo/metainfo.ts'
import type { Connection } from './peers/connection.ts'
import type { LocalPeer } from './peers/local-peer.ts'
import type { RateLimit } from './peers/rate-limit.ts'
import type { RateMeter } from './peers/rate-meter.ts'
import type { BlockSource } from './peers/upload-queue.ts'
import type { Block } from './scheduler/partial-piece.ts'
import { PieceSet } from './scheduler/piece-set.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import { SuperSeeding } from './scheduler/super-seeding.ts'
import { BlockCache, SEEDER_STRIDE_BYTES } from './storage/block-cache.ts'
import type { PieceBuffer } from './storage/piece-buffer.ts'

/** Limit of each half of the cache. */
const MAX_CACHE_BYTES = 16 * 1024 * 1024
/** Limit of a peer's cache in pieces: memory costs time when it is first touched (wire/NOTES.md). */
const MAX_PEER_PIECES = 64

/** Shows neighbours what is here, and gives it to them. A seeder shows each piece to few neighbours at first. */
export class Uploader implements BlockSource {
  readonly #scheduler: Scheduler
  readonly #connections: ReadonlyMap<number, Connection>
  readonly #meter: RateMeter
  readonly #limit: RateLimit
  readonly #nowS: () => number
  readonly #cache: BlockCache
  readonly #superSeeding: SuperSeeding | undefined
  readonly #pieceLength: number
  /** Whether every neighbour may see every piece that is here. */
  showsAll: boolean
  #revealScheduled = false

  constructor(parts: {
    metainfo: Pick<Metainfo, 'length' | 'pieceLength'>
    local: LocalPeer
    scheduler: Scheduler
    connections: ReadonlyMap<number, Connection>
    meter: RateMeter
    limit: RateLimit
    nowS: () => number
    read: (position: number, length: number) => Promise<Buffer>
    /** Whether each piece shall leave from here once before any leaves twice. */
    superSeeds: boolean
  }) {
    const { scheduler, superSeeds, local } = parts
    const { length, pieceLength } = parts.metainfo
    this.#scheduler = scheduler
    this.#connections = parts.connections
    this.#meter = parts.meter
    this.#limit = parts.limit
    this.#nowS = parts.nowS
    this.#pieceLength = pieceLength
    this.#cache = new BlockCache(parts.read, {
      length,
      // A peer reads single pieces: it has just written them, so the system has them in memory, and others ask for them in any
      // order. The piece after one may not be here yet.
      stride: local.isSeeder || pieceLength % SEEDER_STRIDE_BYTES === 0 ? SEEDER_STRIDE_BYTES : pieceLength,
      limit: local.isSeeder ? MAX_CACHE_BYTES : Math.min(MAX_CACHE_BYTES, MAX_PEER_PIECES * pieceLength),
    })
    this.#superSeeding = superSeeds
      ? new SuperSeeding(scheduler.pieceCount, (piece) => scheduler.pieceLength(piece))
      : undefined
    this.showsAll = !superSeeds
  }

  join({ id, wire, localHost, remoteHost, hasAgentId }: Connection): void {
    this.#superSeeding?.join(id, this.#nowS(), {
      sameMachine: localHost === remoteHost,
      isAgent: hasAgentId,
    })
    const visible = this.showsAll ? this.#scheduler.have : new PieceSet(this.#scheduler.pieceCount)
    if (wire.hasFast && visible.full) wire.haveAll()
    else if (visible.size > 0) wire.bitfield(visible.toBitfield())
    else if (wire.hasFast) wire.haveNone()
    wire.unchoke()
  }

  leave({ id }: Connection): void {
    this.#superSeeding?.leave(id)
  }

  peerHas({ id }: Connection, pieces: Iterable<number>): void {
    if (!this.#superSeeding) return
    for (const piece of pieces) this.#superSeeding.peerHas(id, piece, this.#nowS())
    this.#revealSoon()
  }

  content({ piece, offset, length }: Block): Buffer | Promise<Buffer> | undefined {
    if (!this.#scheduler.have.has(piece) || offset + length > this.#scheduler.pieceLength(piece))
      return undefined
    return this.#cache.get(piece * this.#pieceLength, offset, length)
  }

  budget(): number {
    return this.#limit.available(this.#nowS())
  }

  spend(bytes: number): void {
    this.#limit.take(bytes)
  }

  sent(id: number, { piece, length }: Block): void {
    this.#meter.sent(length)
    if (!this.#superSeeding) return
    this.#superSeeding.sent(id, piece, length, this.#nowS())
    this.#revealSoon()
  }

  /** A piece has just come: keeps it in the cache and tells the neighbours that lack it. */
  verified(piece: number, content: PieceBuffer): void {
    this.#cache.keep(piece * this.#pieceLength, content)
    for (const { id, wire, wantsEveryHave } of this.#connections.values()) {
      if (this.#scheduler.peerIsFull(id)) continue
      if (wantsEveryHave || !this.#scheduler.peerHasPiece(id, piece)) wire.have(piece)
    }
  }

  written(piece: number): void {
    this.#cache.written(piece * this.#pieceLength)
  }

  tick(): void {
    for (const { uploads } of this.#connections.values()) uploads.pump()
    this.#reveal()
  }

  /** Once for everything that happens in one iteration of the event loop. */
  #revealSoon(): void {
    if (this.#revealScheduled || this.showsAll) return
    this.#revealScheduled = true
    setImmediate(() => this.#reveal())
  }

  #reveal(): void {
    this.#revealScheduled = false
    if (this.showsAll || !this.#superSeeding) return
    for (const { peer, piece } of this.#superSeeding.reveal(this.#nowS()))
      this.#connections.get(peer)?.wire.have(piece)
    if (this.#superSeeding.finished && this.#connections.size > 0) this.#showEverything()
  }

  #showEverything(): void {
    this.showsAll = true
    for (const { id, wire } of this.#connections.values()) {
      for (const piece of this.#scheduler.have) if (!this.#scheduler.peerHasPiece(id, piece)) wire.have(piece)
    }
  }
}
