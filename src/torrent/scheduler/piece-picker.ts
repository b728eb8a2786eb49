import { PartialPiece } from './partial-piece.ts'
import type { PeerState } from './peer-state.ts'
import { lowestBit, PieceSet } from './piece-set.ts'
import type { Choice } from './sites/site-imports.ts'

/** What the picker needs to know about the owners of partial pieces. */
export interface Owners {
  /** Owes blocks. */
  isBusy(peer: number): boolean
  /** Whether it has left, or is not being asked at present. */
  isLost(peer: number): boolean
  /** The piece begins anew with another owner. */
  restart(partial: PartialPiece): void
}

/** Any piece that the peer has. */
const ANY: readonly Choice[] = [[]]

/** How many pieces are compared to find a rare one. More would change nothing (NOTES.md). */
const SAMPLE_SIZE = 16
/**
 * Of so many new pieces, one is the first that is missing. Without that, a few old pieces would wait until the end, and nobody
 * could use the content in order, as it comes (NOTES.md).
 */
const FIRST_EVERY = 4

/**
 * Picks the next piece to request from a peer. Knows the state of each missing piece (STATE.md) and how many copies the
 * neighbours have. No step takes longer when more pieces are partial.
 */
export class PiecePicker {
  /** Missing pieces that are neither partial nor being checked. */
  readonly open: PieceSet
  readonly partials = new Map<number, PartialPiece>()
  /** Partial pieces with free blocks: about one for each peer. */
  readonly #withFreeBlocks = new Set<PartialPiece>()
  /** Partial pieces without requests: they were given up, and no peer was asked since. Perhaps no remaining peer has them. */
  readonly #abandoned = new Set<PartialPiece>()
  /** Complete, but their hash is not checked yet. */
  readonly #checking = new Set<number>()
  /** Unverified units that were on the disk at the start, by piece, until the piece is checked. */
  readonly unverified = new Map<number, Uint8Array>()
  /** Pieces whose hash was wrong at the last check. */
  readonly #failedCheck = new Set<number>()
  readonly #copies: Uint16Array
  /** The order in which pieces were announced as new; 0 for pieces that a peer had when it joined. */
  readonly #newsOrder: Uint32Array
  #lastNews = 0
  #begun = 0
  readonly #maxPartials: number
  readonly #random: () => number

  /**
   * At most `maxPartials` pieces are partial or being checked at a time. Abandoned ones do not count. Otherwise a few dead
   * servers would leave no room for pieces that other peers have.
   */
  constructor(pieceCount: number, maxPartials: number, random: () => number) {
    this.open = new PieceSet(pieceCount).fill()
    this.#copies = new Uint16Array(pieceCount)
    this.#newsOrder = new Uint32Array(pieceCount)
    this.#maxPartials = maxPartials
    this.#random = random
  }

  copyAdded(piece: number, isNews: boolean): void {
    this.#copies[piece] = (this.#copies[piece] ?? 0) + 1
    if (isNews && this.#newsOrder[piece] === 0) this.#newsOrder[piece] = ++this.#lastNews
  }

  copyRemoved(piece: number): void {
    this.#copies[piece] = (this.#copies[piece] ?? 1) - 1
  }

  /**
   * In this order: the piece that the peer owns, one that its owner leaves to others, a new one, any other partial one. The peer
   * may only be asked for pieces in `choices`. A new one is taken from the first choice that has any.
   */
  next(
    peer: PeerState,
    pieceLength: (piece: number) => number,
    owners: Owners,
    choices: readonly Choice[] = ANY,
  ): PartialPiece | undefined {
    if (peer.current && peer.current.free > 0 && peer.current.owner === peer.id) return peer.current
    peer.current =
      this.#mine(peer, owners, choices) ??
      this.#begunImport(peer, choices) ??
      this.#begin(peer, pieceLength, choices) ??
      this.#find(peer, (partial) => !partial.singleSource && isChosen(partial, choices))
    if (peer.current && peer.current.owner !== peer.id && isLeft(peer.current, owners)) {
      if (peer.current.singleSource) owners.restart(peer.current)
      peer.current.owner = peer.id
    }
    return peer.current
  }

  /** Blocks of the piece were requested, or came. */
  changed(partial: PartialPiece): void {
    this.#abandoned.delete(partial)
    if (partial.free > 0) this.#withFreeBlocks.add(partial)
    else this.#withFreeBlocks.delete(partial)
  }

  /** Requested blocks of the piece are free again. */
  released(partial: PartialPiece): void {
    this.changed(partial)
    if (partial.requests.length === 0) this.#abandoned.add(partial)
  }

  complete(piece: number): void {
    const partial = this.partials.get(piece)
    if (!partial) return
    this.partials.delete(piece)
    this.#withFreeBlocks.delete(partial)
    this.#abandoned.delete(partial)
    this.#checking.add(piece)
  }

  checked(piece: number, right: boolean): void {
    this.#checking.delete(piece)
    this.unverified.delete(piece)
    if (right) return void this.#failedCheck.delete(piece)
    this.#failedCheck.add(piece)
    this.open.add(piece)
  }

  /** The piece that the peer owns, or one that its owner leaves to others. */
  #mine(peer: PeerState, owners: Owners, choices: readonly Choice[]): PartialPiece | undefined {
    for (const partial of this.#withFreeBlocks) {
      if (!peer.has.has(partial.piece)) continue
      if (partial.owner === peer.id) return partial
      if (isLeft(partial, owners) && isChosen(partial, choices)) return partial
    }
    return undefined
  }

  /**
   * Pieces from other sites that were begun come first, whichever neighbour owns them. So little may be requested there that a piece
   * would take seconds if each neighbour had one of its own.
   */
  #begunImport(peer: PeerState, choices: readonly Choice[]): PartialPiece | undefined {
    if (choices === ANY) return undefined
    return this.#find(
      peer,
      (partial) => partial.isImport && !partial.singleSource && isChosen(partial, choices),
    )
  }

  #find({ has }: PeerState, accept: (partial: PartialPiece) => boolean): PartialPiece | undefined {
    for (const partial of this.#withFreeBlocks) if (has.has(partial.piece) && accept(partial)) return partial
    return undefined
  }

  #begin(
    peer: PeerState,
    pieceLength: (piece: number) => number,
    choices: readonly Choice[],
  ): PartialPiece | undefined {
    if (this.partials.size - this.#abandoned.size + this.#checking.size >= this.#maxPartials) return undefined
    let piece = this.#failed(peer.has)
    for (const choice of choices) piece ??= this.newOne(peer.has, choice)
    if (piece === undefined) return undefined
    this.#begun++
    const partial = new PartialPiece(piece, pieceLength(piece), peer.id, {
      ofOne: this.#failedCheck.has(piece),
      unverified: this.unverified.get(piece),
    })
    this.open.delete(piece)
    this.partials.set(piece, partial)
    return partial
  }

  /** The piece in `has` and in the choice to begin next. */
  newOne(has: PieceSet, choice: Choice): number | undefined {
    const inTurn = (this.#begun + 1) % FIRST_EVERY === 0
    return inTurn ? this.#first(has, choice) : this.#rarest(has, choice)
  }

  /** A piece that was wrong comes first, because the right bytes show which peer has sent wrong ones. */
  #failed(has: PieceSet): number | undefined {
    for (const piece of this.#failedCheck) if (this.open.has(piece) && has.has(piece)) return piece
    return undefined
  }

  /**
   * The rarest of the first `SAMPLE_SIZE` open pieces in `has` and in the choice, from a random place on; of equally rare ones
   * the newest. A new piece is rare in the whole swarm, not only among the neighbours, so it must not wait behind older pieces
   * that have spread already (NOTES.md).
   */
  #rarest(has: PieceSet, choice: Choice): number | undefined {
    const words = this.open.words
    const start = Math.floor(this.#random() * words.length)
    let best: number | undefined
    let seen = 0
    for (let step = 0; step < words.length && seen < SAMPLE_SIZE; step++) {
      const at = start + step < words.length ? start + step : start + step - words.length
      for (let bits = this.#openAt(at, has, choice); bits !== 0; bits &= bits - 1) {
        const piece = at * 32 + lowestBit(bits)
        if (best === undefined || this.#isBefore(piece, best)) best = piece
        seen++
      }
    }
    return best
  }

  #first(has: PieceSet, choice: Choice): number | undefined {
    for (let at = 0; at < this.open.words.length; at++) {
      const bits = this.#openAt(at, has, choice)
      if (bits !== 0) return at * 32 + lowestBit(bits)
    }
    return undefined
  }

  /** A word of the open pieces in `has` and in the choice. */
  #openAt(at: number, has: PieceSet, choice: Choice): number {
    let bits = (this.open.words[at] ?? 0) & (has.words[at] ?? 0)
    if (bits === 0) return 0
    for (const set of choice) bits &= set.words[at] ?? 0
    return bits
  }

  #isBefore(piece: number, other: number): boolean {
    const rarer = (this.#copies[piece] ?? 0) - (this.#copies[other] ?? 0)
    return rarer < 0 || (rarer === 0 && (this.#newsOrder[piece] ?? 0) > (this.#newsOrder[other] ?? 0))
  }
}

const isLeft = ({ owner, singleSource }: PartialPiece, owners: Owners): boolean =>
  singleSource ? owners.isLost(owner) : !owners.isBusy(owner)

const isChosen = ({ piece }: PartialPiece, choices: readonly Choice[]): boolean =>
  choices === ANY || choices.some((choice) => choice.every((set) => set.has(piece)))
