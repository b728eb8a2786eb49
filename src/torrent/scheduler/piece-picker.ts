import { PartialPiece } from './partial-piece.ts'
import type { PeerState } from './peer-state.ts'
import { lowestBit, PieceSet } from './piece-set.ts'

/** Pieces looked at before the rarest of them is chosen: more than a few change nothing (NOTES.md). */
const SAMPLE = 16

/**
 * Which pieces are open (neither here nor under way), which are under way, and how many copies the neighbours have.
 * Nothing here takes longer the more pieces are under way.
 */
export class PiecePicker {
  readonly open: PieceSet
  readonly partials = new Map<number, PartialPiece>()
  /** Partials with blocks that nobody is asked for: about one a peer. */
  readonly #unasked = new Set<PartialPiece>()
  /** Taken back from whoever was asked, and asked of nobody since: perhaps nobody who is left has them. */
  readonly #stranded = new Set<PartialPiece>()
  /** Complete, but their hash is not checked. */
  readonly #checking = new Set<number>()
  /** Their hash was wrong the last time. */
  readonly #wrong = new Set<number>()
  readonly #copies: Uint16Array
  /** When a piece was first heard of as news, as a number that grows; 0 for what somebody had when we met. */
  readonly #heard: Uint32Array
  #lastHeard = 0
  readonly #most: number
  readonly #random: () => number

  /**
   * At most `most` pieces are under way at a time, besides those that got stranded: else a few servers that die would leave no
   * room for what can still be had.
   */
  constructor(pieceCount: number, most: number, random: () => number) {
    this.open = new PieceSet(pieceCount).fill()
    this.#copies = new Uint16Array(pieceCount)
    this.#heard = new Uint32Array(pieceCount)
    this.#most = most
    this.#random = random
  }

  copyCame(piece: number, isNews: boolean): void {
    this.#copies[piece] = (this.#copies[piece] ?? 0) + 1
    if (isNews && this.#heard[piece] === 0) this.#heard[piece] = ++this.#lastHeard
  }

  copyWent(piece: number): void {
    this.#copies[piece] = (this.#copies[piece] ?? 1) - 1
  }

  /** A piece to ask of the peer: its own, one that nobody else works on, a new one, or at last anybody's. */
  next(peer: PeerState, pieceLength: (piece: number) => number, isBusy: (peer: number) => boolean) {
    if (peer.current && peer.current.free > 0 && peer.current.owner === peer.id) return peer.current
    peer.current =
      this.#find(peer, ({ owner }) => owner === peer.id || !isBusy(owner)) ??
      this.#begin(peer, pieceLength) ??
      this.#find(peer, ({ ofOne }) => !ofOne)
    if (peer.current && !isBusy(peer.current.owner)) peer.current.owner = peer.id
    return peer.current
  }

  /** Blocks of the partial were asked for, or came. */
  changed(partial: PartialPiece): void {
    this.#stranded.delete(partial)
    if (partial.free > 0) this.#unasked.add(partial)
    else this.#unasked.delete(partial)
  }

  /** Blocks of the partial that somebody was asked for are free again. */
  released(partial: PartialPiece): void {
    this.changed(partial)
    if (partial.flights.length === 0) this.#stranded.add(partial)
  }

  complete(piece: number): void {
    const partial = this.partials.get(piece)
    if (!partial) return
    this.partials.delete(piece)
    this.#unasked.delete(partial)
    this.#stranded.delete(partial)
    this.#checking.add(piece)
  }

  checked(piece: number, right: boolean): void {
    this.#checking.delete(piece)
    if (right) return void this.#wrong.delete(piece)
    this.#wrong.add(piece)
    this.open.add(piece)
  }

  #find({ has }: PeerState, accept: (partial: PartialPiece) => boolean): PartialPiece | undefined {
    for (const partial of this.#unasked) if (has.has(partial.piece) && accept(partial)) return partial
    return undefined
  }

  #begin(peer: PeerState, pieceLength: (piece: number) => number): PartialPiece | undefined {
    if (this.partials.size - this.#stranded.size + this.#checking.size >= this.#most) return undefined
    const piece = this.#rarest(peer.has)
    if (piece === undefined) return undefined
    const partial = new PartialPiece(piece, pieceLength(piece), peer.id, this.#wrong.has(piece))
    this.open.delete(piece)
    this.partials.set(piece, partial)
    return partial
  }

  /**
   * The rarest of the first `SAMPLE` pieces from a random place on that are in `has` and open here; of equally rare ones the one
   * heard of last. What is new is with few in the whole swarm, not only among the neighbours: it must not wait behind older
   * pieces that have spread already (NOTES.md).
   */
  #rarest(has: PieceSet): number | undefined {
    const words = this.open.words
    const start = Math.floor(this.#random() * words.length)
    let best: number | undefined
    let seen = 0
    for (let step = 0; step < words.length && seen < SAMPLE; step++) {
      const at = start + step < words.length ? start + step : start + step - words.length
      for (let bits = (words[at] ?? 0) & (has.words[at] ?? 0); bits !== 0; bits &= bits - 1) {
        const piece = at * 32 + lowestBit(bits)
        if (best === undefined || this.#isBefore(piece, best)) best = piece
        seen++
      }
    }
    return best
  }

  #isBefore(piece: number, other: number): boolean {
    const rarer = (this.#copies[piece] ?? 0) - (this.#copies[other] ?? 0)
    return rarer < 0 || (rarer === 0 && (this.#heard[piece] ?? 0) > (this.#heard[other] ?? 0))
  }
}
