import { AssignedAhead } from './assigned-ahead.ts'
import { Copies } from './copies.ts'
import { latePieces } from './late-pieces.ts'
import { PassingOn } from './passing-on.ts'
import { Receiver } from './receiver.ts'

/** A peer that alone has more than so many pieces is served after the others. */
const MAX_ONLY_COPIES = 6

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
  readonly #copies: Copies
  readonly #ahead: AssignedAhead
  readonly #passingOn = new PassingOn()
  readonly #pieceLength: (piece: number) => number
  readonly #pieceCount: number

  constructor(pieceCount: number, pieceLength: (piece: number) => number) {
    this.#pieceCount = pieceCount
    this.#pieceLength = pieceLength
    this.#copies = new Copies(pieceCount, this.#receivers)
    this.#ahead = new AssignedAhead(this.#receivers, pieceLength(0))
  }

  /** Whether a peer has every piece, so that nothing needs to be held back. */
  get finished(): boolean {
    if (this.#copies.areToAssign) return false
    for (const receiver of this.#receivers.values()) {
      for (const piece of receiver.assigned.keys()) if (this.#copies.of(piece) === 0) return false
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
    this.#copies.join(receiver)
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
    this.#passingOn.leave(gone)
    this.#copies.leave(gone)
  }

  peerHas(id: number, piece: number, nowS: number): void {
    const receiver = this.#receivers.get(id)
    if (!receiver || receiver.has.has(piece) || piece < 0 || piece >= this.#pieceCount) return
    receiver.got(piece, nowS)
    this.#passingOn.peerHas(receiver, piece, nowS)
    this.#copies.added(receiver, piece)
  }

  /** `bytes` of the piece were sent to the peer. */
  sent(id: number, piece: number, bytes: number, nowS: number): void {
    this.#ahead.sent(bytes, nowS)
    this.#receivers.get(id)?.sent(piece, bytes, nowS)
  }

  /**
   * Pieces to show now. Few peers are served at a time, one after the other: the first pieces then arrive early and can be
   * passed on, instead of all arriving late at once.
   */
  reveal(nowS: number): Showing[] {
    this.#findKeepers(nowS)
    const showings: Showing[] = []
    let room = this.#ahead.room(nowS)
    const order = this.#eligible(nowS).sort((a, b) => rank(a) - rank(b) || a.assignedAtS - b.assignedAtS)
    while (room > 0 && this.#copies.areToAssign) {
      const receiver = order.shift()
      if (!receiver) break
      if (!this.#ahead.takesMore(receiver, nowS)) continue
      const piece = this.#copies.nextFor(receiver)
      if (piece === undefined) continue
      this.#assign(receiver, piece, nowS)
      room -= this.#pieceLength(piece)
      showings.push({ peer: receiver.id, piece })
      order.push(receiver)
    }
    if (this.#copies.allAssigned) showings.push(...this.#reassignStuck(nowS))
    return showings
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

  /** At the end: assigns pieces that are stuck at slow or dead peers once more, each to an idle peer. */
  #reassignStuck(nowS: number): Showing[] {
    const idle = this.#eligible(nowS).filter(({ pendingBytes, has }) => pendingBytes === 0 && !has.full)
    if (idle.length === 0) return []
    const showings: Showing[] = []
    for (const piece of latePieces(this.#receivers.values(), this.#copies, this.#ahead, nowS)) {
      const at = idle.findIndex(({ shown }) => !shown.has(piece))
      const [receiver] = at < 0 ? [] : idle.splice(at, 1)
      if (!receiver) continue
      this.#assign(receiver, piece, nowS)
      showings.push({ peer: receiver.id, piece })
    }
    return showings
  }

  #assign(receiver: Receiver, piece: number, nowS: number): void {
    this.#copies.assigned(piece)
    receiver.assign(piece, this.#pieceLength(piece), nowS)
  }

  /** A piece that only a peer without uploads has is as good as lost, so another peer is shown it, too. */
  #findKeepers(nowS: number): void {
    for (const receiver of this.#receivers.values()) {
      if (receiver.keepsAll || !this.#passingOn.isOverdue(receiver, nowS)) continue
      receiver.keepsAll = true
      for (const piece of receiver.has) this.#copies.unassign(piece)
    }
  }
}

/** Peers that pass on what they get come first. */
function rank({ onlyCopies }: Receiver): number {
  return onlyCopies > MAX_ONLY_COPIES ? onlyCopies : 0
}
