import type { Metainfo } from './metainfo/metainfo.ts'
import { pieceIsRight } from './metainfo/piece-hasher.ts'
import type { Connection } from './peers/connection.ts'
import type { Neighbours } from './peers/neighbours.ts'
import type { RateLimit } from './peers/rate-limit.ts'
import type { Block } from './scheduler/partial-piece.ts'
import type { Scheduler } from './scheduler/scheduler.ts'
import { PieceBuffer } from './storage/piece-buffer.ts'
import { PiecePool } from './storage/piece-pool.ts'
import type { Storage } from './storage/storage.ts'
import { flushAfterTurn } from './wire/coalescing.ts'

/** Verified bytes that may wait for the disk before nothing more is asked for. What is under way then comes on top. */
const MOST_UNWRITTEN = 8 * 1024 * 1024

export interface DownloaderEvents {
  /** The piece is here and right. It may not be written yet. */
  verified(piece: number, content: PieceBuffer): void
  written(piece: number): void
  /** Everything is here, verified and written. Called once. */
  complete(): void
  failed(error: unknown): void
}

/** What is missing here: asks for it as the scheduler says, verifies and writes it. */
export class Downloader {
  readonly #metainfo: Metainfo
  readonly #scheduler: Scheduler
  readonly #storage: Storage
  readonly #neighbours: Neighbours
  readonly #limit: RateLimit
  readonly #now: () => number
  readonly #events: DownloaderEvents
  readonly #pieces = new Map<number, PieceBuffer>()
  readonly #memory: PiecePool
  readonly #heard = new Set<Connection>()
  #unwritten = 0
  #finished = false

  constructor(
    parts: {
      metainfo: Metainfo
      scheduler: Scheduler
      storage: Storage
      neighbours: Neighbours
      limit: RateLimit
      /** Seconds. */
      now: () => number
    },
    events: DownloaderEvents,
  ) {
    this.#metainfo = parts.metainfo
    this.#memory = new PiecePool(parts.metainfo.pieceLength)
    this.#scheduler = parts.scheduler
    this.#storage = parts.storage
    this.#neighbours = parts.neighbours
    this.#limit = parts.limit
    this.#now = parts.now
    this.#events = events
  }

  /** Asks for what the news of a neighbour allow: once for all of one turn of the event loop. */
  askSoon(about: Connection): void {
    if (this.#heard.size === 0) flushAfterTurn(this)
    this.#heard.add(about)
  }

  /** Called by the turn. Writes nothing itself: what it asks for leaves in the same turn. */
  flush(): number {
    for (const about of this.#heard) this.#ask(about)
    this.#heard.clear()
    return 0
  }

  #ask(about?: Connection): void {
    if (this.#scheduler.done || this.#unwritten > MOST_UNWRITTEN) return
    const now = this.#now()
    for (const flight of this.#scheduler.ask(now, about?.id, this.#limit.available(now))) {
      this.#limit.take(flight.length)
      this.#neighbours.get(flight.peer)?.wire.request(flight.piece, flight.offset, flight.length)
    }
  }

  tick(): void {
    this.#takeBack(this.#scheduler.tick(this.#now()))
    this.#ask()
  }

  /** `bytes` are good only until this returns. */
  arrived(from: Connection, block: Block, bytes: Uint8Array): void {
    const arrival = this.#scheduler.arrived(from.id, block, this.#now())
    if (arrival?.fresh) {
      const buffer = this.#pieces.get(block.piece) ?? this.#begin(block.piece)
      buffer.write(block.offset, bytes, from.id)
      this.#takeBack(arrival.cancel)
      if (arrival.complete) this.#check(block.piece, buffer)
    }
    this.askSoon(from)
  }

  rejected(from: Connection, block: Block): void {
    this.#scheduler.rejected(from.id, block, this.#now())
  }

  finishIfDone(): void {
    if (this.#finished || !this.#scheduler.done || this.#unwritten > 0) return
    this.#finished = true
    this.#events.complete()
  }

  #begin(piece: number): PieceBuffer {
    const buffer = new PieceBuffer(this.#scheduler.pieceLength(piece), this.#memory)
    this.#pieces.set(piece, buffer)
    return buffer
  }

  #takeBack(requests: { peer: number; block: Block }[]): void {
    for (const { peer, block } of requests) {
      this.#neighbours.get(peer)?.wire.cancel(block.piece, block.offset, block.length)
    }
  }

  #check(piece: number, buffer: PieceBuffer): void {
    this.#pieces.delete(piece)
    const right = pieceIsRight(this.#metainfo.pieces, piece, buffer.digest())
    this.#scheduler.checked(piece, right)
    if (right) {
      this.#events.verified(piece, buffer)
      this.#write(piece, buffer)
    } else {
      buffer.letGo()
      this.#blame(buffer.senders)
    }
  }

  #write(piece: number, buffer: PieceBuffer): void {
    const { bytes } = buffer
    const position = piece * this.#metainfo.pieceLength
    const written = () => {
      buffer.letGo()
      this.#events.written(piece)
      this.finishIfDone()
    }
    if (this.#storage.writeNow(position, bytes)) return written()
    this.#unwritten += bytes.length
    this.#storage.write(position, bytes).then(
      () => {
        this.#unwritten -= bytes.length
        written()
      },
      (error) => this.#events.failed(error),
    )
  }

  /** One sender of a wrong piece is guilty; of several nobody is, until the piece is fetched from one alone. */
  #blame(senders: ReadonlySet<number>): void {
    if (senders.size !== 1) return
    for (const id of senders) this.#neighbours.ban(id)
  }
}
