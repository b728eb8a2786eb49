import { IncomingRate } from './incoming-rate.ts'
import type { Block, BlockRequest, PartialPiece } from './partial-piece.ts'
import { PieceSet } from './piece-set.ts'
import { RequestWindow } from './request-window.ts'

/** A peer that stopped answering is not asked for this long. The pause doubles from the first to the longest one. */
const FIRST_PAUSE_S = 1
const LONGEST_PAUSE_S = 16

/** What the scheduler knows about a neighbour and has requested from it. */
export class PeerState {
  readonly id: number
  readonly has: PieceSet
  readonly window = new RequestWindow()
  readonly requests: BlockRequest[] = []
  /** How fast it downloads, judged by its HAVEs. */
  readonly ownRate = new IncomingRate()
  choking = true
  largestBlock: number
  /** Our seeder, which may super-seed. */
  isSeeder = false
  /** Whether it is in our own site, as far as is known; the name of its site; its hash for choosing among members of a site. */
  isNear = true
  site: string | undefined
  siteKey = 0
  /** The piece that is being requested from it. */
  current: PartialPiece | undefined
  /** Requested bytes that it has not sent. */
  owedBytes = 0
  /** When it last sent a block, or got a request while nothing was pending. */
  lastAnswerAtS: number
  /** It is not asked before this time. */
  pausedUntilS = 0
  #pauseS = FIRST_PAUSE_S

  constructor(id: number, pieceCount: number, largestBlock: number, nowS: number) {
    this.id = id
    this.has = new PieceSet(pieceCount)
    this.largestBlock = largestBlock
    this.lastAnswerAtS = nowS
  }

  /** Once a seeder shows everything, it is treated like any other peer. */
  get isSuperSeeding(): boolean {
    return this.isSeeder && !this.has.full
  }

  get busy(): boolean {
    return !this.choking && this.requests.length > 0
  }

  /** The last block may exceed the window. Otherwise windows that differ slightly would differ by a whole block. */
  get hasRoom(): boolean {
    return this.owedBytes < this.window.size
  }

  add({ piece, offset, length }: Block, nowS: number): BlockRequest {
    if (this.requests.length === 0) this.lastAnswerAtS = nowS
    this.owedBytes += length
    const { id: peer, owedBytes } = this
    const asked = this.window.mark(nowS)
    const request = { piece, offset, length, peer, askedAtS: nowS, owedBytes, asked }
    this.requests.push(request)
    return request
  }

  find({ piece, offset, length }: Block): BlockRequest | undefined {
    return this.requests.find(
      (request) => request.piece === piece && request.offset === offset && request.length === length,
    )
  }

  remove(request: BlockRequest): void {
    const at = this.requests.indexOf(request)
    if (at < 0) return
    // Answers come in the order of the requests: mostly it is the first.
    if (at === 0) this.requests.shift()
    else this.requests.splice(at, 1)
    this.owedBytes -= request.length
  }

  answered(request: BlockRequest, nowS: number): void {
    this.lastAnswerAtS = nowS
    this.#pauseS = FIRST_PAUSE_S
    this.window.answered(request.length, request.asked, request.owedBytes, nowS)
  }

  stoppedAnswering(nowS: number): void {
    this.window.collapse()
    this.pausedUntilS = nowS + this.#pauseS
    this.#pauseS = Math.min(LONGEST_PAUSE_S, this.#pauseS * 2)
  }
}
