import { PieceSet } from '../piece-set.ts'
import { isMesh } from '../topology.ts'
import { PassingOn } from './passing-on.ts'
import { Receiver } from './receiver.ts'
import { SeederUplink } from './seeder-uplink.ts'

/**
 * A peer is assigned, in advance, what it takes in this time. With few peers the time is longer, so that a hiccup of one does not
 * leave the uplink idle. With many it is shorter, because the others fill in and assigned pieces would only wait longer.
 */
const MAX_AHEAD_S = 0.3
const MIN_AHEAD_S = 0.1
/** Up to so many peers count as few. */
const FEW_PEERS = 10
/** A peer that reacts more slowly than `MAX_AHEAD_S` is assigned what it takes in so many of its reaction times. */
const AHEAD_REACTIONS = 3
const MIN_AHEAD_PIECES = 2
/** In a swarm that is a mesh, all peers together are assigned at least so many pieces. */
const MIN_ASSIGNED_PIECES = 16
/**
 * In a larger swarm they are assigned at least so many. The pieces under way share the uplink: with twice as many, each is passed
 * on twice as late. In a mesh more is asked in advance, so peers react late, and the uplink of a seeder that is faster than they
 * are would rest (NOTES.md).
 */
const MIN_ASSIGNED_IN_LARGE = 5
/** A peer that needs so many times the least time of a piece, and `LATE_S`, is slow. */
const SLOW_TIMES = 2
/** A peer that alone has more than so many pieces is served after the others. */
const MAX_ONLY_COPIES = 6
/** At the end, a piece stays assigned if another peer would get it only this much sooner. */
const LATE_S = 0.2
/** At the end, a peer that takes nothing for this long counts as dead, because sending twice costs little then. */
const SILENT_AT_END_S = 0.4

/** A piece to show to a peer. */
interface Showing {
  peer: number
  piece: number
}

/**
 * Decides what the seeder shows to which peer, so that its uplink carries every piece about once before it carries any twice:
 * super-seeding (BEP 16) with a window that follows each peer's own pace. A peer sees only the pieces that are assigned to it.
 * It gets the others from the peers that they were assigned to. When every piece has left, the seeder shows everything.
 */
export class SuperSeeding {
  readonly #receivers = new Map<number, Receiver>()
  /** How many receivers choose pieces themselves. */
  #choosers = 0
  /** Receivers by machine. A server has one peer; further names on the same machine count as one claim. */
  readonly #machines = new Map<string, Set<Receiver>>()
  /** How many machines have each piece. */
  readonly #copies: Uint16Array
  /** Pieces that no peer has and that are not assigned. */
  readonly #unassigned: PieceSet
  /**
   * Unassigned pieces that a single peer says it has. It may lie or be dead. So they come after the unassigned ones, and are
   * still assigned unless a second peer has them by then.
   */
  readonly #claimed: PieceSet
  readonly #passingOn = new PassingOn()
  readonly #uplink = new SeederUplink()
  readonly #pieceLength: (piece: number) => number
  readonly #pieceCount: number
  #next = 0

  constructor(pieceCount: number, pieceLength: (piece: number) => number) {
    this.#pieceCount = pieceCount
    this.#pieceLength = pieceLength
    this.#copies = new Uint16Array(pieceCount)
    this.#unassigned = new PieceSet(pieceCount).fill()
    this.#claimed = new PieceSet(pieceCount)
  }

  /** Whether a peer has every piece, so that nothing needs to be held back. */
  get finished(): boolean {
    if (this.#unassigned.size > 0 || this.#claimsMatter) return false
    for (const receiver of this.#receivers.values()) {
      for (const piece of receiver.assigned.keys()) if ((this.#copies[piece] ?? 0) === 0) return false
    }
    return true
  }

  /**
   * Another client sees everything from the start and chooses itself: it may want only some files, and many ask only once a
   * second for shown pieces. It is assigned nothing. `machine`: what peers of one machine have in common, where that is known.
   */
  join(id: number, nowS: number, { sameMachine = false, isAgent = true, machine = `peer ${id}` } = {}): void {
    if (!isAgent) this.#choosers++
    const about = { pieceCount: this.#pieceCount, sameMachine, machine, choosesItself: !isAgent }
    const receiver = new Receiver(id, nowS, about)
    this.#receivers.set(id, receiver)
    this.#machines.set(machine, (this.#machines.get(machine) ?? new Set()).add(receiver))
  }

  /** Sets whether the peer is in the seeder's own site. By default all are. */
  locate(id: number, isNear: boolean): void {
    const receiver = this.#receivers.get(id)
    if (receiver) receiver.isNear = isNear
  }

  leave(id: number): void {
    const gone = this.#receivers.get(id)
    if (!gone) return
    this.#receivers.delete(id)
    if (gone.choosesItself) this.#choosers--
    const machine = this.#machines.get(gone.machine)
    machine?.delete(gone)
    if (machine?.size === 0) this.#machines.delete(gone.machine)
    this.#passingOn.leave(gone)
    for (const piece of gone.has) {
      if (!this.#isOn(gone.machine, piece)) {
        this.#copies[piece] = (this.#copies[piece] ?? 1) - 1
        if (this.#copies[piece] === 1) this.#countOnlyCopies(piece, 1)
      }
      this.#unassign(piece)
    }
    for (const piece of gone.assigned.keys()) this.#unassign(piece)
  }

  peerHas(id: number, piece: number, nowS: number): void {
    const receiver = this.#receivers.get(id)
    if (!receiver || receiver.has.has(piece) || piece < 0 || piece >= this.#pieceCount) return
    const isNewThere = !this.#isOn(receiver.machine, piece)
    receiver.got(piece, nowS)
    this.#passingOn.peerHas(receiver, piece, nowS)
    this.#unassigned.delete(piece)
    const copies = (this.#copies[piece] ?? 0) + (isNewThere ? 1 : 0)
    this.#copies[piece] = copies
    if (copies > 1) this.#claimed.delete(piece)
    else this.#unassign(piece)
    if (copies === 1) receiver.onlyCopies++
    else if (copies === 2 && isNewThere) this.#countOnlyCopies(piece, -1, id)
  }

  /** `bytes` of the piece were sent to the peer. */
  sent(id: number, piece: number, bytes: number, nowS: number): void {
    this.#uplink.sent(bytes, nowS)
    this.#receivers.get(id)?.sent(piece, bytes, nowS)
  }

  /**
   * Pieces to show now. Few peers are served at a time, one after the other: the first pieces then arrive early and can be
   * passed on, instead of all arriving late at once.
   */
  reveal(nowS: number): Showing[] {
    this.#findKeepers(nowS)
    const showings: Showing[] = []
    let room = this.#room(nowS)
    const order = this.#eligible(nowS).sort((a, b) => rank(a) - rank(b) || a.assignedAtS - b.assignedAtS)
    while (room > 0 && (this.#unassigned.size > 0 || this.#claimsMatter)) {
      const receiver = order.shift()
      if (!receiver) break
      if (!this.#takesMore(receiver, nowS)) continue
      const piece = this.#pieceFor(receiver)
      if (piece === undefined) continue
      this.#assign(receiver, piece, nowS)
      room -= this.#pieceLength(piece)
      showings.push({ peer: receiver.id, piece })
      order.push(receiver)
    }
    if (this.#unassigned.size === 0) showings.push(...this.#reassignStuck(nowS))
    return showings
  }

  /** Bytes that may be assigned now, to all peers together. */
  #room(nowS: number): number {
    const receivers = [...this.#receivers.values()]
    const { least, ahead } = this.#isLarge
      ? { least: MIN_ASSIGNED_IN_LARGE, ahead: this.#uplink.bytesAhead(receivers) }
      : { least: MIN_ASSIGNED_PIECES, ahead: sum(receivers.map((one) => this.#aheadBytes(one))) }
    return Math.max(least * this.#pieceLength(0), ahead) - this.#pendingBytes(nowS)
  }

  /** Bytes under way to all peers that take what they are shown. */
  #pendingBytes(nowS: number): number {
    // In a larger swarm few pieces are under way, and some slow peers must not hold up all of them.
    const longestS = this.#isLarge
      ? LATE_S + SLOW_TIMES * this.#uplink.pieceTime(this.#receivers.values())
      : Number.POSITIVE_INFINITY
    let bytes = 0
    for (const receiver of this.#receivers.values())
      if (!receiver.isStuck(nowS) && nowS - receiver.assignedAtS <= longestS) bytes += receiver.pendingBytes
    return bytes
  }

  /** Whether there are more peers than make a mesh. */
  get #isLarge(): boolean {
    return !isMesh(this.#receivers.size + 1)
  }

  /**
   * Prefers peers on other machines, as long as any of them takes something; among these, those that pass pieces on; and among
   * these, those of the seeder's own site, from which the others get the pieces.
   */
  #eligible(nowS: number): Receiver[] {
    const everyone = [...this.#receivers.values()]
    const all = this.#choosers > 0 ? everyone.filter(({ choosesItself }) => !choosesItself) : everyone
    const remote = all.filter(
      (receiver) => !receiver.sameMachine && !receiver.has.full && !receiver.isStuck(nowS),
    )
    const sharing = remote.filter(({ keepsAll }) => !keepsAll)
    const useful = sharing.length > 0 ? sharing : remote
    const near = useful.filter(({ isNear }) => isNear)
    return near.length > 0 ? near : useful.length > 0 ? useful : all
  }

  #takesMore(receiver: Receiver, nowS: number): boolean {
    const most = Math.max(MIN_AHEAD_PIECES * this.#pieceLength(0), this.#aheadBytes(receiver))
    return !receiver.has.full && receiver.pendingBytes < most && !receiver.isStuck(nowS)
  }

  /** Bytes that the peer may be assigned in advance, by its own pace. */
  #aheadBytes({ pace, reactionS }: Receiver): number {
    const aheadS = Math.max(MIN_AHEAD_S, Math.min(1, FEW_PEERS / this.#receivers.size) * MAX_AHEAD_S)
    return pace * (reactionS > MAX_AHEAD_S ? reactionS * AHEAD_REACTIONS : aheadS)
  }

  /** At the end: assigns pieces that are stuck at slow or dead peers once more, each to an idle peer. */
  #reassignStuck(nowS: number): Showing[] {
    const idle = this.#eligible(nowS).filter(({ pendingBytes, has }) => pendingBytes === 0 && !has.full)
    if (idle.length === 0) return []
    const showings: Showing[] = []
    for (const piece of this.#stuckPieces(nowS)) {
      const at = idle.findIndex(({ shown }) => !shown.has(piece))
      const [receiver] = at < 0 ? [] : idle.splice(at, 1)
      if (!receiver) continue
      this.#assign(receiver, piece, nowS)
      showings.push({ peer: receiver.id, piece })
    }
    return showings
  }

  #assign(receiver: Receiver, piece: number, nowS: number): void {
    this.#unassigned.delete(piece)
    this.#claimed.delete(piece)
    receiver.assign(piece, this.#pieceLength(piece), nowS)
  }

  /** Whether there is a machine that could have the claimed pieces besides the one that claims them. */
  get #claimsMatter(): boolean {
    return this.#claimed.size > 0 && this.#machines.size > 1
  }

  #pieceFor({ has }: Receiver): number | undefined {
    return this.#unassigned.size > 0 ? this.#nextUnassigned() : this.#claimed.firstOutside(has)
  }

  /** The next piece in order after the last one, so that the disk is read in order. */
  #nextUnassigned(): number {
    while (!this.#unassigned.has(this.#next)) this.#next = (this.#next + 1) % this.#pieceCount
    return this.#next
  }

  /**
   * No, if the piece is assigned to another peer, or a peer that passes pieces on got it from here, or several machines have it.
   */
  #unassign(piece: number): void {
    const copies = this.#copies[piece] ?? 0
    if (copies > 1) return
    for (const { assigned, shown, has, keepsAll } of this.#receivers.values())
      if (assigned.has(piece) || (!keepsAll && shown.has(piece) && has.has(piece))) return
    if (copies === 0) this.#unassigned.add(piece)
    else this.#claimed.add(piece)
  }

  /** Whether a peer of the machine has the piece. */
  #isOn(machine: string, piece: number): boolean {
    for (const { has } of this.#machines.get(machine) ?? []) if (has.has(piece)) return true
    return false
  }

  /** A piece that only a peer without uploads has is as good as lost, so another peer is shown it, too. */
  #findKeepers(nowS: number): void {
    for (const receiver of this.#receivers.values()) {
      if (receiver.keepsAll || !this.#passingOn.isOverdue(receiver, nowS)) continue
      receiver.keepsAll = true
      for (const piece of receiver.has) this.#unassign(piece)
    }
  }

  #countOnlyCopies(piece: number, change: 1 | -1, except?: number): void {
    for (const other of this.#receivers.values()) {
      if (other.id !== except && other.has.has(piece)) other.onlyCopies += change
    }
  }

  /** A piece is late if it needs longer than this. */
  #latestS(nowS: number): number {
    if (!this.#isLarge) return LATE_S
    const usualS = this.#uplink.pieceTime(this.#receivers.values())
    return LATE_S + usualS + this.#uplink.timeFor(this.#pendingBytes(nowS))
  }

  /**
   * How long a piece will take, or has taken in a larger swarm. There a peer gets few pieces from here, so its pace says little; and all
   * that is under way is slow together: showing it to more peers would make each of them slower still.
   */
  #waitS({ pace, assignedAtS }: Receiver, bytesBefore: number, nowS: number): number {
    if (this.#isLarge) return nowS - assignedAtS
    return pace === 0 ? 0 : bytesBefore / pace
  }

  /** Pieces that will leave too late, because all peers they are assigned to are slow or dead; the latest first. */
  #stuckPieces(nowS: number): number[] {
    const waitsS = new Map<number, number>()
    for (const receiver of this.#receivers.values()) {
      const isDead = receiver.isSilent(nowS, SILENT_AT_END_S)
      let bytesBefore = 0
      for (const [piece, left] of receiver.assigned) {
        bytesBefore += left
        if ((this.#copies[piece] ?? 0) > 0) continue
        const waitS = isDead ? Number.POSITIVE_INFINITY : this.#waitS(receiver, bytesBefore, nowS)
        waitsS.set(piece, Math.min(waitS, waitsS.get(piece) ?? Number.POSITIVE_INFINITY))
      }
    }
    const latestS = this.#latestS(nowS)
    const late = [...waitsS].filter(([, waitS]) => waitS > latestS)
    return late.sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([piece]) => piece)
  }
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)

/** Peers that pass on what they get come first. */
function rank({ onlyCopies }: Receiver): number {
  return onlyCopies > MAX_ONLY_COPIES ? onlyCopies : 0
}
