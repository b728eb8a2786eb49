import { PieceSet } from '../piece-set.ts'

/** A peer that takes nothing for this long counts as dead. */
const STUCK_S = 1
/** How often the pace is measured. */
const PACE_INTERVAL_S = 0.1

interface ReceiverFacts {
  pieceCount: number
  sameMachine: boolean
  machine: string
  choosesItself: boolean
}

/** A peer as a super-seeder sees it: what it was shown, what it has, and how fast it takes what it was shown. */
export class Receiver {
  readonly id: number
  /** On the seeder's own machine: it competes with the seeder for the uplink. */
  readonly sameMachine: boolean
  /** The machine's key, which its peers have in common. */
  readonly machine: string
  /** Whether it sees everything and takes what it wants. */
  readonly choosesItself: boolean
  /** In the seeder's own site. */
  isNear = true
  readonly has: PieceSet
  readonly shown: PieceSet
  /** Pieces that were assigned to it and that it does not have yet → bytes still to send. */
  readonly assigned = new Map<number, number>()
  /** Number of pieces that are on its machine and on no other. */
  onlyCopies = 0
  /** Whether it does not pass on its pieces. */
  keepsAll = false
  /** Number of pieces that it has from us and no other machine has got since. */
  gifts = 0
  /** When another machine last got one of these pieces, or since when there are any. */
  passedOnAtS = 0
  /** Bytes a second that it takes, smoothed. */
  pace = 0
  /** Time from being shown a piece while idle until it takes some of it; smoothed. Some clients ask once a second. */
  reactionS = 0
  /** The least time from being shown a piece while idle until all of it was sent; 0 until there is one. */
  leastS = 0
  /** When it last was assigned a piece. */
  assignedAtS: number
  /** When it last took bytes of a shown piece, or was first shown one. */
  #progressAtS: number
  /** When it was shown a piece while idle, if it has not reacted since. */
  #shownAtS: number | undefined
  /** The piece that it was shown while idle, and when. */
  #timed: { piece: number; atS: number } | undefined
  #sentSinceMeasured = 0
  #measuredAtS: number

  constructor(id: number, nowS: number, about: ReceiverFacts) {
    const { pieceCount, sameMachine, machine, choosesItself } = about
    this.id = id
    this.sameMachine = sameMachine
    this.machine = machine
    this.choosesItself = choosesItself
    this.has = new PieceSet(pieceCount)
    this.shown = new PieceSet(pieceCount)
    this.assignedAtS = nowS
    this.#progressAtS = nowS
    this.#measuredAtS = nowS
  }

  /** Bytes of assigned pieces that are still to be sent. */
  get pendingBytes(): number {
    let bytes = 0
    for (const left of this.assigned.values()) bytes += left
    return bytes
  }

  assign(piece: number, length: number, nowS: number): void {
    if (this.assigned.size === 0) this.#progressAtS = nowS
    if (this.pendingBytes === 0) {
      this.#shownAtS = nowS
      this.#timed = { piece, atS: nowS }
    }
    this.assignedAtS = nowS
    this.shown.add(piece)
    this.assigned.set(piece, length)
  }

  /** The peer says that it has the piece. */
  got(piece: number, nowS: number): void {
    this.has.add(piece)
    this.assigned.delete(piece)
    this.#progressAtS = nowS
  }

  /** `bytes` of the piece were sent to the peer. */
  sent(piece: number, bytes: number, nowS: number): void {
    this.#sentSinceMeasured += bytes
    this.#progressAtS = nowS
    if (this.#shownAtS !== undefined) {
      this.reactionS = this.reactionS * 0.5 + (nowS - this.#shownAtS) * 0.5
      this.#shownAtS = undefined
    }
    this.#measurePace(nowS)
    const left = this.assigned.get(piece)
    if (left === undefined) return
    this.assigned.set(piece, Math.max(0, left - bytes))
    if (left <= bytes) this.#allSent(piece, nowS)
  }

  #allSent(piece: number, nowS: number): void {
    if (this.#timed?.piece !== piece) return
    const tookS = nowS - this.#timed.atS
    this.leastS = this.leastS === 0 ? tookS : Math.min(this.leastS, tookS)
    this.#timed = undefined
  }

  /** Whether it does not take shown pieces. A peer that took everything and sends no HAVE may have more than we know. */
  isStuck(nowS: number): boolean {
    return this.pendingBytes > 0 && this.isSilent(nowS, STUCK_S)
  }

  /** Whether it does not take shown pieces, or does not announce them. */
  isSilent(nowS: number, timeoutS: number): boolean {
    return this.assigned.size > 0 && nowS - this.#progressAtS > timeoutS
  }

  #measurePace(nowS: number): void {
    const elapsedS = nowS - this.#measuredAtS
    if (elapsedS < PACE_INTERVAL_S) return
    const pace = this.#sentSinceMeasured / elapsedS
    this.pace = this.pace === 0 ? pace : this.pace * 0.5 + pace * 0.5
    this.#sentSinceMeasured = 0
    this.#measuredAtS = nowS
  }
}
