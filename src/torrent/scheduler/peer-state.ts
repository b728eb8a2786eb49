import { IncomingRate } from './incoming-rate.ts'
import type { Block, Flight, PartialPiece } from './partial-piece.ts'
import { PieceSet } from './piece-set.ts'
import { RequestWindow } from './request-window.ts'

/** Seconds for which nothing is asked of a peer that stopped answering, the first time and at most; it doubles. */
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 16

/** What the scheduler knows of a neighbour, and what it asked of it. */
export class PeerState {
  readonly id: number
  readonly has: PieceSet
  readonly window = new RequestWindow()
  readonly flights: Flight[] = []
  /** How fast it gets the content itself, as far as it tells. */
  readonly progress = new IncomingRate()
  choking = true
  largestBlock: number
  /** It is a seeder, which may show each piece to few. */
  source = false
  /** The piece that is asked of it at present. */
  current: PartialPiece | undefined
  /** Bytes under way. */
  asked = 0
  /** When it last sent a block, or was first asked for one after owing none. */
  heardAt: number
  /** Nothing is asked before this time. */
  pausedUntil = 0
  #pause = FIRST_PAUSE

  constructor(id: number, pieceCount: number, largestBlock: number, now: number) {
    this.id = id
    this.has = new PieceSet(pieceCount)
    this.largestBlock = largestBlock
    this.heardAt = now
  }

  /** Once a seeder shows everything, it is a peer like any other. */
  get showsFew(): boolean {
    return this.source && !this.has.full
  }

  get busy(): boolean {
    return !this.choking && this.flights.length > 0
  }

  /** The last block may go beyond the window: else windows that differ by little would differ by a block. */
  get hasRoom(): boolean {
    return this.asked < this.window.size
  }

  ask({ piece, offset, length }: Block, now: number): Flight {
    if (this.flights.length === 0) this.heardAt = now
    this.asked += length
    const flight = { piece, offset, length, peer: this.id, askedAt: now, underway: this.asked }
    this.flights.push(flight)
    return flight
  }

  owed({ piece, offset, length }: Block): Flight | undefined {
    return this.flights.find((f) => f.piece === piece && f.offset === offset && f.length === length)
  }

  forget(flight: Flight): void {
    const at = this.flights.indexOf(flight)
    if (at < 0) return
    this.flights.splice(at, 1)
    this.asked -= flight.length
  }

  answered(flight: Flight, now: number): void {
    this.heardAt = now
    this.#pause = FIRST_PAUSE
    this.window.answered(now - flight.askedAt, flight.underway)
  }

  stoppedAnswering(now: number): void {
    this.window.collapse()
    this.pausedUntil = now + this.#pause
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2)
  }
}
