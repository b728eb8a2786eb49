import { PieceSet } from '../piece-set.ts'
import type { Receiver } from './receiver.ts'

/** Counts the machines that have each piece. Knows which pieces the seeder still has to assign, and in which order. */
export class Copies {
  readonly #receivers: ReadonlyMap<number, Receiver>
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
  #next = 0

  /** `receivers`: all peers, by id. */
  constructor(pieceCount: number, receivers: ReadonlyMap<number, Receiver>) {
    this.#receivers = receivers
    this.#copies = new Uint16Array(pieceCount)
    this.#unassigned = new PieceSet(pieceCount).fill()
    this.#claimed = new PieceSet(pieceCount)
  }

  /** Whether the seeder still has to assign any piece. */
  get areToAssign(): boolean {
    return this.#unassigned.size > 0 || this.#claimsMatter
  }

  /** Whether each piece is assigned, or a peer says that it has it. */
  get allAssigned(): boolean {
    return this.#unassigned.size === 0
  }

  of(piece: number): number {
    return this.#copies[piece] ?? 0
  }

  join(receiver: Receiver): void {
    const { machine } = receiver
    this.#machines.set(machine, (this.#machines.get(machine) ?? new Set()).add(receiver))
  }

  /** Call it when the peer is not one of the receivers any more. */
  leave(gone: Receiver): void {
    const machine = this.#machines.get(gone.machine)
    machine?.delete(gone)
    if (machine?.size === 0) this.#machines.delete(gone.machine)
    for (const piece of gone.has) {
      if (!this.#isBeside(gone, piece)) {
        this.#copies[piece] = (this.#copies[piece] ?? 1) - 1
        if (this.#copies[piece] === 1) this.#countOnlyCopies(piece, 1)
      }
      this.unassign(piece)
    }
    for (const piece of gone.assigned.keys()) this.unassign(piece)
  }

  /** The peer has got the piece. */
  added(receiver: Receiver, piece: number): void {
    const isNewThere = !this.#isBeside(receiver, piece)
    this.#unassigned.delete(piece)
    const copies = this.of(piece) + (isNewThere ? 1 : 0)
    this.#copies[piece] = copies
    if (copies > 1) this.#claimed.delete(piece)
    else this.unassign(piece)
    if (copies === 1) receiver.onlyCopies++
    else if (copies === 2 && isNewThere) this.#countOnlyCopies(piece, -1, receiver)
  }

  assigned(piece: number): void {
    this.#unassigned.delete(piece)
    this.#claimed.delete(piece)
  }

  /**
   * The piece has to be assigned, unless it is assigned to another peer, or a peer that passes pieces on got it from here, or
   * several machines have it.
   */
  unassign(piece: number): void {
    const copies = this.of(piece)
    if (copies > 1) return
    for (const { assigned, shown, has, keepsAll } of this.#receivers.values())
      if (assigned.has(piece) || (!keepsAll && shown.has(piece) && has.has(piece))) return
    if (copies === 0) this.#unassigned.add(piece)
    else this.#claimed.add(piece)
  }

  /** The piece to assign to the peer next. */
  nextFor({ has }: Receiver): number | undefined {
    return this.#unassigned.size > 0 ? this.#nextUnassigned() : this.#claimed.firstOutside(has)
  }

  /** The next piece in order after the last one, so that the disk is read in order. */
  #nextUnassigned(): number {
    while (!this.#unassigned.has(this.#next)) this.#next = (this.#next + 1) % this.#copies.length
    return this.#next
  }

  /** Whether there is a machine that could have the claimed pieces besides the one that claims them. */
  get #claimsMatter(): boolean {
    return this.#claimed.size > 0 && this.#machines.size > 1
  }

  /** Whether another peer on the same machine has the piece. */
  #isBeside(receiver: Receiver, piece: number): boolean {
    for (const other of this.#machines.get(receiver.machine) ?? [])
      if (other !== receiver && other.has.has(piece)) return true
    return false
  }

  #countOnlyCopies(piece: number, change: 1 | -1, except?: Receiver): void {
    for (const other of this.#receivers.values())
      if (other !== except && other.has.has(piece)) other.onlyCopies += change
  }
}
