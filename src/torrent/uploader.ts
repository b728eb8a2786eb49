import type { Connection } from './peers/connection.ts'
import type { Neighbours } from './peers/neighbours.ts'
import type { RateLimit } from './peers/rate-limit.ts'
import { PieceSet } from './scheduler/piece-set.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import { SuperSeeding } from './scheduler/super-seeding.ts'
import { BlockCache, SEEDERS_STRIDE } from './storage/block-cache.ts'
import type { PieceBuffer } from './storage/piece-buffer.ts'

/** Bytes that each half of the cache may hold. */
const MOST_CACHED = 16 * 1024 * 1024
/** Pieces that a peer keeps at hand at most: memory costs time when it is first touched (wire/NOTES.md). */
const PEERS_PIECES = 64

/** What is here: shows it to neighbours and gives it to them. A seeder shows each piece to few at first. */
export class Uploader {
  readonly #scheduler: Scheduler
  readonly #neighbours: Neighbours
  readonly #limit: RateLimit
  readonly #now: () => number
  readonly #cache: BlockCache
  readonly #superSeeding: SuperSeeding | undefined
  readonly #pieceLength: number
  /** Whether everything that is here is shown to everybody. */
  showsAll: boolean
  #revealing = false

  constructor(parts: {
    length: number
    pieceLength: number
    scheduler: Scheduler
    neighbours: Neighbours
    limit: RateLimit
    /** Seconds. */
    now: () => number
    read: (position: number, length: number) => Promise<Buffer>
    /** Whether all of it is here from the start. */
    source: boolean
    /** Whether to see to it that each piece leaves from here once before any leaves twice. */
    spreads: boolean
  }) {
    const { scheduler } = parts
    this.#scheduler = scheduler
    this.#neighbours = parts.neighbours
    this.#limit = parts.limit
    this.#now = parts.now
    this.#pieceLength = parts.pieceLength
    this.#cache = new BlockCache(parts.read, {
      length: parts.length,
      // What a peer has it has just written: the system has it at hand, and the others ask for it in any order. Nothing is
      // read along that may belong to a piece that has not come yet.
      stride: parts.source || parts.pieceLength % SEEDERS_STRIDE === 0 ? SEEDERS_STRIDE : parts.pieceLength,
      limit: parts.source ? MOST_CACHED : Math.min(MOST_CACHED, PEERS_PIECES * parts.pieceLength),
    })
    this.#superSeeding = parts.spreads
      ? new SuperSeeding(scheduler.pieceCount, (piece) => scheduler.pieceLength(piece))
      : undefined
    this.showsAll = !parts.spreads
  }

  join({ id, wire, localHost, remoteHost, namesAgent }: Connection): void {
    this.#superSeeding?.join(id, this.#now(), { near: localHost === remoteHost, stranger: !namesAgent })
    const visible = this.showsAll ? this.#scheduler.have : new PieceSet(this.#scheduler.pieceCount)
    if (wire.hasFast && visible.full) wire.haveAll()
    else if (visible.size > 0) wire.bitfield(visible.toBitfield())
    else if (wire.hasFast) wire.haveNone()
    wire.unchoke()
  }

  leave({ id }: Connection): void {
    this.#superSeeding?.leave(id)
  }

  theyHave({ id }: Connection, pieces: Iterable<number>): void {
    if (!this.#superSeeding) return
    for (const piece of pieces) this.#superSeeding.peerHas(id, piece, this.#now())
    this.#revealSoon()
  }

  /** The block, at once if it is in memory; undefined when it is not here or no valid range. */
  content(piece: number, offset: number, length: number): Buffer | Promise<Buffer> | undefined {
    if (!this.#scheduler.have.has(piece) || offset + length > this.#scheduler.pieceLength(piece))
      return undefined
    return this.#cache.get(piece * this.#pieceLength, offset, length)
  }

  /** Bytes that may be sent now. */
  budget(): number {
    return this.#limit.available(this.#now())
  }

  spend(bytes: number): void {
    this.#limit.take(bytes)
  }

  sent({ id }: Connection, piece: number, bytes: number): void {
    if (!this.#superSeeding) return
    this.#superSeeding.sent(id, piece, bytes, this.#now())
    this.#revealSoon()
  }

  /** The piece has just come: keeps it at hand and tells whoever lacks it. */
  verified(piece: number, content: PieceBuffer): void {
    this.#cache.keep(piece * this.#pieceLength, content)
    for (const { id, wire, wantsEveryHave } of this.#neighbours) {
      if (this.#scheduler.peerIsFull(id)) continue
      if (wantsEveryHave || !this.#scheduler.peerHasPiece(id, piece)) wire.have(piece)
    }
  }

  written(piece: number): void {
    this.#cache.written(piece * this.#pieceLength)
  }

  tick(): void {
    for (const connection of this.#neighbours) connection.pump()
    this.#reveal()
  }

  /** Once for all that happens in one turn of the event loop. */
  #revealSoon(): void {
    if (this.#revealing || this.showsAll) return
    this.#revealing = true
    setImmediate(() => this.#reveal())
  }

  #reveal(): void {
    this.#revealing = false
    if (this.showsAll || !this.#superSeeding) return
    for (const { peer, piece } of this.#superSeeding.reveal(this.#now()))
      this.#neighbours.get(peer)?.wire.have(piece)
    if (this.#superSeeding.finished && this.#neighbours.size > 0) this.#showEverything()
  }

  #showEverything(): void {
    this.showsAll = true
    for (const { id, wire } of this.#neighbours) {
      for (const piece of this.#scheduler.have) if (!this.#scheduler.peerHasPiece(id, piece)) wire.have(piece)
    }
  }
}
