import type { Suspect } from './access/ban-list.ts'
import { Evidence } from './access/evidence.ts'
import { pieceIsRight } from './metainfo/piece-hasher.ts'
import type { Connection } from './peers/connection.ts'
import type { RateLimit } from './peers/limits/rate-limit.ts'
import { sourceOf } from './peers/sources.ts'
import type { Block } from './scheduler/partial-piece.ts'
import { PieceBuffer } from './storage/memory/piece-buffer.ts'
import { PiecePool } from './storage/memory/piece-pool.ts'
import { unitRuns } from './storage/unit-runs.ts'
import type { SwarmContext } from './swarm-context.ts'

/** Requests stop when more verified bytes than this wait for the disk. Pending requests come on top. */
const MAX_UNWRITTEN_BYTES = 8 * 1024 * 1024

export interface DownloaderEvents {
  /** The piece is here and right. It may not be written yet. */
  verified(piece: number, content: PieceBuffer): void
  written(piece: number): void
  /** These pieces are being fetched from other sites. */
  imports(pieces: readonly number[]): void
  /** Everything is here, verified and written. Called once. */
  complete(): void
  /** This peer has provably sent wrong bytes of the piece. */
  sentWrongBytes(peer: Suspect, piece: number): void
  failed(error: unknown): void
}

/** Downloads missing pieces: requests them as the scheduler decides, verifies and writes them. */
export class Downloader {
  readonly #context: SwarmContext
  readonly #limit: RateLimit
  readonly #events: DownloaderEvents
  readonly #pieces = new Map<number, PieceBuffer<Suspect>>()
  /** Complete pieces whose hashes have not come. The scheduler begins only as many pieces as fit in memory. */
  readonly #unchecked = new Map<number, { buffer: PieceBuffer<Suspect>; last: Connection }>()
  readonly #evidence = new Evidence<Suspect>()
  readonly #pool: PiecePool
  /** Connections with news in this iteration of the event loop. */
  readonly #toAsk = new Set<Connection>()
  #unwrittenBytes = 0
  #finished = false

  /** `limit` is that of all downloading. */
  constructor(context: SwarmContext, limit: RateLimit, events: DownloaderEvents) {
    this.#context = context
    this.#limit = limit
    this.#events = events
    this.#pool = new PiecePool(context.metainfo.pieceLength)
  }

  /** Schedules requests to a neighbour with news: once for all messages of one iteration of the event loop. */
  requestSoon(from: Connection): void {
    if (this.#toAsk.size === 0) this.#context.coalescer.flushSoon(this)
    this.#toAsk.add(from)
  }

  /** Called by the coalescer. Writes nothing itself: its requests leave in the same iteration. */
  flush(): number {
    for (const connection of this.#toAsk) this.#request(connection)
    this.#toAsk.clear()
    return 0
  }

  #request(from?: Connection): void {
    if (this.#context.scheduler.done || this.#unwrittenBytes > MAX_UNWRITTEN_BYTES) return
    const nowS = this.#context.nowS()
    const { scheduler, siteLimit } = this.#context
    const most = [this.#limit.available(nowS), siteLimit.into.available(nowS)] as const
    const requests = scheduler.nextRequests(nowS, from?.id, ...most)
    for (const { peer, piece, offset, length } of requests) {
      this.#limit.take(length)
      if (scheduler.isFar(peer)) siteLimit.into.take(length)
      this.#context.connections.get(peer)?.flows.request({ piece, offset, length }, nowS)
    }
    const imports = scheduler.takeImports()
    if (imports.length > 0) this.#events.imports(imports)
  }

  tick(): void {
    this.#cancel(this.#context.scheduler.tick(this.#context.nowS()))
    this.#request()
  }

  /** `bytes` are valid only until this returns. */
  arrived(from: Connection, block: Block, bytes: Uint8Array): void {
    const arrival = this.#context.scheduler.arrived(from.id, block, this.#context.nowS())
    if (arrival?.fresh) {
      const begun = arrival.first ? undefined : this.#pieces.get(block.piece)
      const buffer = begun ?? this.#begin(block.piece, arrival.unverified)
      buffer.write(block.offset, bytes, from)
      this.#cancel(arrival.cancel)
      if (arrival.complete) this.#completed(block.piece, buffer, from)
    }
    this.requestSoon(from)
  }

  rejected(from: Connection, block: Block): void {
    this.#context.scheduler.rejected(from.id, block, this.#context.nowS())
  }

  /** The neighbour will not send these blocks, so they must be requested again. */
  lost(from: Connection, blocks: readonly Block[]): void {
    this.#context.scheduler.lost(from.id, blocks)
    this.requestSoon(from)
  }

  /** Discards partial pieces that contain bytes from such a peer. */
  discardFrom(isBanned: (peer: Suspect) => boolean): void {
    for (const [piece, { senders }] of [...this.#pieces]) {
      if (!senders.some((sender) => sender && isBanned(sender))) continue
      this.#drop(piece)
      this.#cancel(this.#context.scheduler.restart(piece))
    }
  }

  /** The piece hashes have come. */
  checkWaiting(): void {
    const waiting = [...this.#unchecked]
    this.#unchecked.clear()
    for (const [piece, { buffer, last }] of waiting) this.#check(piece, buffer, last)
    this.#request()
  }

  /** Whether the disk is the bottleneck: so much waits for it that few requests are made, or nothing else is left to do. */
  get waitsForDisk(): boolean {
    const most = this.#context.scheduler.done ? 0 : MAX_UNWRITTEN_BYTES / 2
    return this.#unwrittenBytes > most
  }

  get isFinished(): boolean {
    return this.#finished
  }

  finishIfDone(): void {
    if (this.#finished || !this.#context.scheduler.done || this.#unwrittenBytes > 0) return
    this.#finished = true
    this.#events.complete()
  }

  #begin(piece: number, unverified?: Uint8Array): PieceBuffer<Suspect> {
    this.#drop(piece)
    const buffer = new PieceBuffer<Suspect>(this.#context.scheduler.pieceLength(piece), this.#pool)
    this.#pieces.set(piece, buffer)
    if (unverified) buffer.loading = this.#load(piece, buffer, unverified)
    return buffer
  }

  /** Reads the bytes that are already on the disk. Unreadable bytes count as wrong, and then the whole piece is fetched. */
  async #load(piece: number, buffer: PieceBuffer<Suspect>, units: Uint8Array): Promise<void> {
    const position = piece * this.#context.metainfo.pieceLength
    buffer.retain() // The piece may begin anew meanwhile.
    for (const { offset, end } of unitRuns(units, buffer.bytes.length)) {
      const bytes = Buffer.allocUnsafe(end - offset)
      await this.#context.storage.read(position + offset, bytes).catch(() => bytes.fill(0))
      buffer.write(offset, bytes, undefined)
    }
    buffer.release()
  }

  #completed(piece: number, buffer: PieceBuffer<Suspect>, last: Connection): void {
    this.#pieces.delete(piece)
    if (buffer.loading) void buffer.loading.then(() => this.#check(piece, buffer, last))
    else this.#check(piece, buffer, last)
  }

  #drop(piece: number): void {
    this.#pieces.get(piece)?.release()
    this.#pieces.delete(piece)
  }

  #cancel(requests: readonly { peer: number; block: Block }[]): void {
    for (const { peer, block } of requests) {
      this.#context.connections.get(peer)?.flows.cancel(block)
    }
  }

  /** `last` has sent the block that completed it. */
  #check(piece: number, buffer: PieceBuffer<Suspect>, last: Connection): void {
    const { pieceHashes } = this.#context
    if (!pieceHashes) return void this.#unchecked.set(piece, { buffer, last })
    const right = pieceIsRight(pieceHashes, piece, buffer.digest())
    this.#context.scheduler.checked(piece, right)
    const guilty = right ? this.#guiltyOf(piece, buffer) : this.#onlySender(piece, buffer)
    if (right) {
      this.#context.arrivals.came(piece, sourceOf(last), this.#context.nowS())
      this.#events.verified(piece, buffer)
      this.#write(piece, buffer)
    } else buffer.release()
    for (const peer of guilty) this.#events.sentWrongBytes(peer, piece)
  }

  #write(piece: number, buffer: PieceBuffer): void {
    const { bytes } = buffer
    const position = piece * this.#context.metainfo.pieceLength
    const written = () => {
      buffer.release()
      this.#events.written(piece)
      this.finishIfDone()
    }
    const { storage, bottlenecks, nowS } = this.#context
    const begunS = nowS()
    const isWritten = storage.writeNow(position, bytes)
    bottlenecks.wrote(nowS() - begunS)
    if (isWritten) return written()
    this.#unwrittenBytes += bytes.length
    storage.write(position, bytes).then(
      () => {
        this.#unwrittenBytes -= bytes.length
        written()
      },
      (error) => this.#events.failed(error),
    )
  }

  /** The only sender of a wrong piece is guilty. If there are several, or bytes of our own, the right piece will show which. */
  #onlySender(piece: number, buffer: PieceBuffer<Suspect>): Iterable<Suspect> {
    const senders = new Set(buffer.senders.filter((sender) => sender !== undefined))
    if (senders.size === 1 && !buffer.loading) return senders
    this.#evidence.wrong(piece, buffer.senders, buffer.unitDigests())
    return []
  }

  #guiltyOf(piece: number, buffer: PieceBuffer<Suspect>): Iterable<Suspect> {
    return this.#evidence.has(piece) ? this.#evidence.right(piece, buffer.unitDigests()) : []
  }
}
