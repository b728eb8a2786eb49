import type { Connection } from './peers/connection.ts'
import type { RateLimit } from './peers/limits/rate-limit.ts'
import type { BlockSource } from './peers/limits/upload-queue.ts'
import { isOneServer } from './peers/local-peer.ts'
import type { Block } from './scheduler/partial-piece.ts'
import { PieceSet } from './scheduler/piece-set.ts'
import { SuperSeeding } from './scheduler/super-seeding/super-seeding.ts'
import { BlockCache, SEEDER_STRIDE_BYTES } from './storage/memory/block-cache.ts'
import type { Content } from './storage/memory/counted-memory.ts'
import type { PieceBuffer } from './storage/memory/piece-buffer.ts'
import type { SwarmContext } from './swarm-context.ts'

/** Limit of each half of the cache. */
const MAX_CACHE_BYTES = 16 * 1024 * 1024
/** Limit of a peer's cache in pieces, because memory costs time when it is first touched (wire/NOTES.md). */
const MAX_PEER_PIECES = 64
/** Other sites hear this much later of pieces that they can get from elsewhere. */
const LATE_NEWS_S = 2

/** Shows neighbours the pieces that are here, and uploads them. A seeder shows each piece to few agents at first. */
export class Uploader implements BlockSource {
  readonly #context: SwarmContext
  readonly #limit: RateLimit
  readonly #cache: BlockCache
  readonly #superSeeding: SuperSeeding | undefined
  /** Whether every neighbour may see every piece that is here. */
  showsAll: boolean
  /** Connections that have been shown nothing yet. */
  readonly #choked = new Set<number>()
  /** When other sites shall hear of pieces that are new here; undefined without any. */
  #lateNewsAtS: number | undefined
  #revealScheduled = false

  /** `limit` is that of all uploading. `superSeeds`: whether each piece shall be uploaded once before any is uploaded twice. */
  constructor(
    context: SwarmContext,
    options: {
      limit: RateLimit
      read: (position: number, into: Buffer) => Promise<Buffer>
      superSeeds: boolean
    },
  ) {
    const { scheduler, local } = context
    const { length, pieceLength } = context.metainfo
    this.#context = context
    this.#limit = options.limit
    this.#cache = new BlockCache(options.read, {
      length,
      // A peer reads single pieces: the system still has them in memory, others request them in any order, and the next piece
      // may not be here yet.
      stride: local.isSeeder || pieceLength % SEEDER_STRIDE_BYTES === 0 ? SEEDER_STRIDE_BYTES : pieceLength,
      limit: local.isSeeder ? MAX_CACHE_BYTES : Math.min(MAX_CACHE_BYTES, MAX_PEER_PIECES * pieceLength),
    })
    this.#superSeeding = options.superSeeds
      ? new SuperSeeding(scheduler.pieceCount, (piece) => scheduler.pieceLength(piece))
      : undefined
    this.showsAll = !options.superSeeds
  }

  join({ id, wire, localHost, remoteHost, hasAgentId }: Connection): void {
    this.#superSeeding?.join(id, this.#context.nowS(), {
      sameMachine: localHost === remoteHost,
      isAgent: hasAgentId,
      machine: isOneServer(this.#context.local, remoteHost) ? remoteHost : undefined,
    })
    const visible =
      this.showsAll || !hasAgentId
        ? this.#context.scheduler.have
        : new PieceSet(this.#context.scheduler.pieceCount)
    if (wire.hasFast && visible.full) wire.haveAll()
    else if (visible.size > 0) wire.bitfield(visible.toBitfield())
    else if (wire.hasFast) wire.haveNone()
    if (visible.size > 0) wire.unchoke()
    else this.#choked.add(id)
  }

  /** Whether the neighbour is in our own site. */
  locate(id: number, isNear: boolean): void {
    this.#superSeeding?.locate(id, isNear)
  }

  leave({ id }: Connection): void {
    this.#superSeeding?.leave(id)
    this.#choked.delete(id)
  }

  /** Shows a piece. If rtorrent is unchoked before it has seen any piece, it requests none for half a minute. */
  #show({ id, wire }: Connection, piece: number): void {
    wire.have(piece)
    if (this.#choked.delete(id)) wire.unchoke()
  }

  peerHas({ id }: Connection, pieces: Iterable<number>): void {
    if (!this.#superSeeding) return
    for (const piece of pieces) this.#superSeeding.peerHas(id, piece, this.#context.nowS())
    this.#revealSoon()
  }

  content({ piece, offset, length }: Block): Content | Promise<Content> | undefined {
    if (
      !this.#context.scheduler.have.has(piece) ||
      offset + length > this.#context.scheduler.pieceLength(piece)
    )
      return undefined
    return this.#cache.get(piece * this.#context.metainfo.pieceLength, offset, length)
  }

  budget(id: number): number {
    const nowS = this.#context.nowS()
    const most = this.#context.siteLimit.out
    return Math.min(
      this.#limit.available(nowS),
      this.#isFar(id) ? most.available(nowS) : Number.POSITIVE_INFINITY,
    )
  }

  spend(id: number, bytes: number): void {
    this.#limit.take(bytes)
    if (this.#isFar(id)) this.#context.siteLimit.out.take(bytes)
  }

  #isFar(id: number): boolean {
    return this.#context.scheduler.isFar(id)
  }

  sent(id: number, { piece, length }: Block): void {
    this.#context.meter.sent(length)
    if (!this.#superSeeding) return
    this.#superSeeding.sent(id, piece, length, this.#context.nowS())
    this.#revealSoon()
  }

  /** A piece has just come: keeps it in the cache and tells the neighbours that lack it. */
  verified(piece: number, content: PieceBuffer): void {
    this.#cache.keep(piece * this.#context.metainfo.pieceLength, content)
    this.found(piece)
  }

  /** A piece turns out to be on disk: tells the neighbours that lack it. */
  found(piece: number): void {
    const { scheduler, connections, nowS } = this.#context
    const tellsAll = scheduler.isNewsElsewhere(piece)
    for (const connection of connections.values()) {
      const { id, wantsEveryHave } = connection
      if (scheduler.peerIsFull(id)) continue
      if (!tellsAll && !wantsEveryHave && this.#isFar(id)) this.#lateNewsAtS ??= nowS() + LATE_NEWS_S
      else if (wantsEveryHave || !scheduler.peerHasPiece(id, piece)) this.#show(connection, piece)
    }
  }

  /** One message for all pieces. One for each would add up to 0.5 % of the content, from every member again. */
  #tellLateNews(): void {
    const { connections, scheduler, nowS } = this.#context
    if (this.#lateNewsAtS === undefined || nowS() < this.#lateNewsAtS) return
    this.#lateNewsAtS = undefined
    for (const { id, wire, wantsEveryHave } of connections.values())
      if (!wantsEveryHave && this.#isFar(id) && !scheduler.peerIsFull(id) && !this.#choked.has(id))
        wire.bitfield(scheduler.have.toBitfield())
  }

  written(piece: number): void {
    this.#cache.written(piece * this.#context.metainfo.pieceLength)
  }

  tick(): void {
    for (const { uploads } of this.#context.connections.values()) uploads.pump()
    this.#tellLateNews()
    this.#reveal()
  }

  /** Runs once for all events of one iteration of the event loop. */
  #revealSoon(): void {
    if (this.#revealScheduled || this.showsAll) return
    this.#revealScheduled = true
    setImmediate(() => this.#reveal())
  }

  #reveal(): void {
    this.#revealScheduled = false
    if (this.showsAll || !this.#superSeeding) return
    for (const { peer, piece } of this.#superSeeding.reveal(this.#context.nowS())) {
      const connection = this.#context.connections.get(peer)
      if (connection) this.#show(connection, piece)
    }
    if (this.#superSeeding.finished && this.#context.connections.size > 0) this.#showEverything()
  }

  #showEverything(): void {
    this.showsAll = true
    for (const connection of this.#context.connections.values()) {
      if (!connection.hasAgentId) continue // it was shown everything when it came
      if (this.#context.scheduler.peerIsFull(connection.id)) continue
      // One message instead of one for each piece, which would grow with the content.
      connection.wire.haveAll()
      if (this.#choked.delete(connection.id)) connection.wire.unchoke()
    }
  }
}
