import { PieceSet } from './piece-set.ts'

/** Seconds of its own pace that a peer is given in advance, and the least, in pieces. */
const AHEAD = 0.3
const LEAST_AHEAD = 2
/** Pieces that only this peer has got and has not passed on: more than this, and others go first. */
const MOST_UNSHARED = 6
/** At the end, a piece that will leave only this much later (seconds) than it could is left where it is. */
const PATIENCE = 0.2
/** A peer that takes nothing for this long (seconds) is taken for dead. */
const STUCK = 1

interface Receiver {
  id: number
  has: PieceSet
  /** Given to it and not wholly sent yet → bytes still to send. */
  given: Map<number, number>
  revealed: PieceSet
  /** Pieces that it has and no other peer has. */
  unshared: number
  /** Bytes a second that it takes, smoothed. */
  pace: number
  sentSince: number
  measuredAt: number
  movedAt: number
}

/**
 * What the seeder shows to whom, so that its uplink carries every piece about once before it carries any twice:
 * super-seeding (BEP 16) with a window that follows each peer's own pace. A peer sees only pieces meant for it; the
 * others come to it from the peers that got them. When every piece has left, the seeder shows everything.
 */
export class FirstCopies {
  private readonly receivers = new Map<number, Receiver>()
  private readonly copies: Uint16Array
  /** Neither given to anybody nor had by anybody. */
  private readonly waiting: PieceSet
  private readonly pieceLength: (piece: number) => number
  private readonly pieceCount: number
  private next = 0

  constructor(pieceCount: number, pieceLength: (piece: number) => number) {
    this.pieceCount = pieceCount
    this.pieceLength = pieceLength
    this.copies = new Uint16Array(pieceCount)
    this.waiting = new PieceSet(pieceCount).fill()
  }

  /** Whether every piece is with a peer: nothing has to be held back any more. */
  get finished(): boolean {
    if (this.waiting.size > 0) return false
    for (const receiver of this.receivers.values()) {
      for (const piece of receiver.given.keys()) if ((this.copies[piece] ?? 0) === 0) return false
    }
    return true
  }

  join(id: number, now: number): void {
    this.receivers.set(id, {
      id,
      has: new PieceSet(this.pieceCount),
      given: new Map(),
      revealed: new PieceSet(this.pieceCount),
      unshared: 0,
      pace: 0,
      sentSince: 0,
      measuredAt: now,
      movedAt: now,
    })
  }

  leave(id: number): void {
    const gone = this.receivers.get(id)
    if (!gone) return
    this.receivers.delete(id)
    for (const piece of gone.has) {
      this.copies[piece] = (this.copies[piece] ?? 1) - 1
      if (this.copies[piece] === 0) this.waitAgain(piece)
      else if (this.copies[piece] === 1) this.countUnshared(piece, 1)
    }
    for (const piece of gone.given.keys()) if ((this.copies[piece] ?? 0) === 0) this.waitAgain(piece)
  }

  peerHas(id: number, piece: number, now: number): void {
    const receiver = this.receivers.get(id)
    if (!receiver || receiver.has.has(piece) || piece < 0 || piece >= this.pieceCount) return
    receiver.has.add(piece)
    receiver.given.delete(piece)
    receiver.movedAt = now
    this.waiting.delete(piece)
    const copies = (this.copies[piece] ?? 0) + 1
    this.copies[piece] = copies
    if (copies === 1) receiver.unshared++
    else if (copies === 2) this.countUnshared(piece, -1, id)
  }

  /** `bytes` of the piece were sent to the peer. */
  sent(id: number, piece: number, bytes: number, now: number): void {
    const receiver = this.receivers.get(id)
    if (!receiver) return
    receiver.sentSince += bytes
    receiver.movedAt = now
    const elapsed = now - receiver.measuredAt
    if (elapsed >= 0.1) {
      const pace = receiver.sentSince / elapsed
      receiver.pace = receiver.pace === 0 ? pace : receiver.pace * 0.5 + pace * 0.5
      receiver.sentSince = 0
      receiver.measuredAt = now
    }
    const left = receiver.given.get(piece)
    if (left !== undefined) receiver.given.set(piece, Math.max(0, left - bytes))
  }

  /** Pieces to show to this peer now. */
  reveal(id: number, now: number): number[] {
    const receiver = this.receivers.get(id)
    if (!receiver) return []
    const pieces: number[] = []
    let ahead = 0
    for (const left of receiver.given.values()) ahead += left
    const held = receiver.unshared > MOST_UNSHARED && this.anotherIsFree(receiver)
    const enough = (piece: number) => Math.max(LEAST_AHEAD * this.pieceLength(piece), receiver.pace * AHEAD)
    while (!held && this.waiting.size > 0) {
      const piece = this.nextWaiting()
      if (ahead >= enough(piece)) break
      this.waiting.delete(piece)
      ahead += this.give(receiver, piece)
      pieces.push(piece)
    }
    if (ahead === 0 && this.waiting.size === 0) {
      const piece = this.stuckPiece(receiver, now)
      if (piece !== undefined) {
        this.give(receiver, piece)
        pieces.push(piece)
      }
    }
    return pieces
  }

  private give(receiver: Receiver, piece: number): number {
    receiver.revealed.add(piece)
    receiver.given.set(piece, this.pieceLength(piece))
    return this.pieceLength(piece)
  }

  /** In order from where the last one was, so that the disk is read in order. */
  private nextWaiting(): number {
    while (!this.waiting.has(this.next)) this.next = (this.next + 1) % this.pieceCount
    return this.next
  }

  private waitAgain(piece: number): void {
    for (const receiver of this.receivers.values()) if (receiver.given.has(piece)) return
    this.waiting.add(piece)
  }

  private countUnshared(piece: number, change: 1 | -1, except?: number): void {
    for (const other of this.receivers.values()) {
      if (other.id !== except && other.has.has(piece)) other.unshared += change
    }
  }

  private anotherIsFree(receiver: Receiver): boolean {
    for (const other of this.receivers.values()) {
      if (other !== receiver && other.unshared <= MOST_UNSHARED && !other.has.full) return true
    }
    return false
  }

  /** The piece that will leave last, as things go: it was given to a peer that is slow or dead. */
  private stuckPiece(receiver: Receiver, now: number): number | undefined {
    let stuck: number | undefined
    let longest = PATIENCE
    for (const other of this.receivers.values()) {
      if (other === receiver) continue
      const dead = now - other.movedAt > STUCK
      let ahead = 0
      for (const [piece, left] of other.given) {
        ahead += left
        const wait = dead ? Number.POSITIVE_INFINITY : ahead / other.pace
        if (wait <= longest || (this.copies[piece] ?? 0) > 0 || receiver.revealed.has(piece)) continue
        stuck = piece
        longest = wait
      }
    }
    return stuck
  }
}
