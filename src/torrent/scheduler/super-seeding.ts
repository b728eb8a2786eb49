import { PieceSet } from './piece-set.ts'

/**
 * Seconds of its own pace that a peer is given in advance: most where the seeder serves few, so that the hiccup of one does not
 * leave the uplink idle; less where others fill in, because everything given waits that much longer. And the least, in pieces.
 */
const MOST_AHEAD = 0.3
const LESS_AHEAD = 0.1
/** As many peers as this share the difference. */
const FEW = 10
/** A peer that takes longer than that to react, as clients do that ask once a second, is given this many reactions. */
const AHEAD_REACTIONS = 3
const LEAST_AHEAD = 2
/** Pieces under way to all peers together, at least. */
const LEAST_UNDERWAY = 16
/** Pieces that only this peer has and has not passed on: with more than this, others go first. */
const MOST_UNSHARED = 6
/** At the end, a piece that will leave only this much later (seconds) than it could is left where it is. */
const PATIENCE = 0.2
/** A peer that takes nothing for this long (seconds) is taken for dead; and at the end, when to send twice costs little. */
const STUCK = 1
const HESITANT = 0.4
/** A stranger that takes nothing for this long (seconds) does not want what it was shown. */
const UNWILLING = 5

interface Receiver {
  id: number
  /** On this very machine: what it takes has not left by the uplink, and it would compete for that with the seeder. */
  near: boolean
  /** No agent: it may want some files only. */
  stranger: boolean
  /** It was shown everything, and takes what it wants. */
  picks: boolean
  has: PieceSet
  /** Given to it and not wholly sent yet → bytes still to send. */
  given: Map<number, number>
  revealed: PieceSet
  /** Pieces that it has and no other peer has. */
  unshared: number
  /** Bytes a second that it takes, smoothed. */
  pace: number
  /** Seconds from when it is shown something, having nothing, until it takes it, smoothed. Some clients ask once a second. */
  reaction: number
  /** When it was shown something, having nothing, if it has not reacted since. */
  shownAt: number | undefined
  sentSince: number
  measuredAt: number
  /** When it last took any of what it was given, and when it was last given anything. */
  movedAt: number
  givenAt: number
}

/**
 * What the seeder shows to whom, so that its uplink carries every piece about once before it carries any twice:
 * super-seeding (BEP 16) with a window that follows each peer's own pace. A peer sees only pieces meant for it; the
 * others come to it from the peers that got them. When every piece has left, the seeder shows everything.
 */
export class SuperSeeding {
  readonly #receivers = new Map<number, Receiver>()
  /** How many of them are no agents. */
  #strangers = 0
  readonly #copies: Uint16Array
  /** Neither given to anybody nor had by anybody. */
  readonly #waiting: PieceSet
  /**
   * Given to nobody, and one peer says that it has it. It may lie, or be dead: so these come after those that wait, and are
   * shown all the same unless a second peer has them by then.
   */
  readonly #claimed: PieceSet
  readonly #pieceLength: (piece: number) => number
  readonly #pieceCount: number
  #next = 0

  constructor(pieceCount: number, pieceLength: (piece: number) => number) {
    this.#pieceCount = pieceCount
    this.#pieceLength = pieceLength
    this.#copies = new Uint16Array(pieceCount)
    this.#waiting = new PieceSet(pieceCount).fill()
    this.#claimed = new PieceSet(pieceCount)
  }

  /** Whether every piece is with a peer: nothing has to be held back any more. */
  get finished(): boolean {
    if (this.#waiting.size > 0 || this.#claimsMatter) return false
    for (const receiver of this.#receivers.values()) {
      for (const piece of receiver.given.keys()) if ((this.#copies[piece] ?? 0) === 0) return false
    }
    return true
  }

  join(id: number, now: number, { near = false, stranger = false } = {}): void {
    if (stranger) this.#strangers++
    this.#receivers.set(id, {
      id,
      near,
      stranger,
      picks: false,
      has: new PieceSet(this.#pieceCount),
      given: new Map(),
      revealed: new PieceSet(this.#pieceCount),
      unshared: 0,
      pace: 0,
      reaction: 0,
      shownAt: undefined,
      sentSince: 0,
      measuredAt: now,
      movedAt: now,
      givenAt: now,
    })
  }

  leave(id: number): void {
    const gone = this.#receivers.get(id)
    if (!gone) return
    this.#receivers.delete(id)
    if (gone.stranger) this.#strangers--
    for (const piece of gone.has) {
      this.#copies[piece] = (this.#copies[piece] ?? 1) - 1
      if (this.#copies[piece] === 1) this.#countUnshared(piece, 1)
      this.#waitAgain(piece)
    }
    for (const piece of gone.given.keys()) this.#waitAgain(piece)
  }

  peerHas(id: number, piece: number, now: number): void {
    const receiver = this.#receivers.get(id)
    if (!receiver || receiver.has.has(piece) || piece < 0 || piece >= this.#pieceCount) return
    receiver.has.add(piece)
    receiver.given.delete(piece)
    receiver.movedAt = now
    this.#waiting.delete(piece)
    const copies = (this.#copies[piece] ?? 0) + 1
    this.#copies[piece] = copies
    if (copies > 1) this.#claimed.delete(piece)
    else this.#waitAgain(piece)
    if (copies === 1) receiver.unshared++
    else if (copies === 2) this.#countUnshared(piece, -1, id)
  }

  /** `bytes` of the piece were sent to the peer. */
  sent(id: number, piece: number, bytes: number, now: number): void {
    const receiver = this.#receivers.get(id)
    if (!receiver) return
    receiver.sentSince += bytes
    receiver.movedAt = now
    if (receiver.shownAt !== undefined) {
      receiver.reaction = receiver.reaction * 0.5 + (now - receiver.shownAt) * 0.5
      receiver.shownAt = undefined
    }
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

  /**
   * Pieces to show now, and to whom. Few peers are served at a time, one after the other: the first pieces then arrive
   * early and can be passed on, instead of all arriving late at once.
   */
  reveal(now: number): { peer: number; piece: number }[] {
    const shown = this.#letPick(now)
    let underway = 0
    for (const receiver of this.#receivers.values())
      if (!this.#isStuck(receiver, now)) underway += ahead(receiver)
    let room = Math.max(LEAST_UNDERWAY * this.#pieceLength(0), this.#paces()) - underway
    const order = this.#served(now).sort((a, b) => rank(a) - rank(b) || a.givenAt - b.givenAt)
    while (room > 0 && (this.#waiting.size > 0 || this.#claimsMatter)) {
      const receiver = order.shift()
      if (!receiver) break
      const most = Math.max(LEAST_AHEAD * this.#pieceLength(0), this.#paceAhead(receiver))
      if (receiver.has.full || ahead(receiver) >= most || this.#isStuck(receiver, now)) continue
      const piece = this.#nextFor(receiver)
      if (piece === undefined) continue
      room -= this.#give(receiver, piece, now)
      shown.push({ peer: receiver.id, piece })
      order.push(receiver)
    }
    if (this.#waiting.size === 0) shown.push(...this.#rescue(now))
    return shown
  }

  /** Those on other machines, as long as any of them takes something. */
  #served(now: number): Receiver[] {
    const everybody = [...this.#receivers.values()]
    const all = this.#strangers > 0 ? everybody.filter(({ picks }) => !picks) : everybody
    const far = all.filter(
      (receiver) => !receiver.near && !receiver.has.full && !this.#isStuck(receiver, now),
    )
    return far.length > 0 ? far : all
  }

  /**
   * At the end: pieces that are stuck with slow or dead peers are shown to peers that have nothing to wait for, each to one of
   * them, those first that would leave last.
   */
  #rescue(now: number): { peer: number; piece: number }[] {
    const idle = this.#served(now).filter((receiver) => ahead(receiver) === 0 && !receiver.has.full)
    if (idle.length === 0) return []
    const shown: { peer: number; piece: number }[] = []
    for (const piece of this.#stuckPieces(now)) {
      const at = idle.findIndex(({ revealed }) => !revealed.has(piece))
      const [receiver] = at < 0 ? [] : idle.splice(at, 1)
      if (!receiver) continue
      this.#give(receiver, piece, now)
      shown.push({ peer: receiver.id, piece })
    }
    return shown
  }

  /**
   * A stranger that was told to fetch some files only takes nothing of the others, and would wait for ever for its own: so one
   * that takes nothing is shown all there is, and what it was given waits for somebody else.
   */
  #letPick(now: number): { peer: number; piece: number }[] {
    const shown: { peer: number; piece: number }[] = []
    if (this.#strangers === 0) return shown
    for (const receiver of this.#receivers.values()) {
      if (!receiver.stranger || !this.#isStuck(receiver, now, UNWILLING)) continue
      receiver.picks = true
      const given = [...receiver.given.keys()]
      receiver.given.clear()
      for (const piece of given) this.#waitAgain(piece)
      for (let piece = 0; piece < this.#pieceCount; piece++) {
        if (receiver.has.has(piece) || receiver.revealed.has(piece)) continue
        receiver.revealed.add(piece)
        shown.push({ peer: receiver.id, piece })
      }
    }
    return shown
  }

  /** It does not take what it was shown. One that took everything and tells nothing may have more. */
  #isStuck(receiver: Receiver, now: number, patience = STUCK): boolean {
    return ahead(receiver) > 0 && this.#isSilent(receiver, now, patience)
  }

  /** It does not take what it was shown, or does not say that it has it. */
  #isSilent(receiver: Receiver, now: number, patience = STUCK): boolean {
    return receiver.given.size > 0 && now - receiver.movedAt > patience
  }

  #paces(): number {
    let bytes = 0
    for (const receiver of this.#receivers.values()) bytes += this.#paceAhead(receiver)
    return bytes
  }

  /** Bytes that its own pace lets it be given in advance. */
  #paceAhead({ pace, reaction }: Receiver): number {
    const ahead = Math.max(LESS_AHEAD, Math.min(1, FEW / this.#receivers.size) * MOST_AHEAD)
    return pace * (reaction > MOST_AHEAD ? reaction * AHEAD_REACTIONS : ahead)
  }

  #give(receiver: Receiver, piece: number, now: number): number {
    if (receiver.given.size === 0) receiver.movedAt = now
    if (ahead(receiver) === 0) receiver.shownAt = now
    receiver.givenAt = now
    this.#waiting.delete(piece)
    this.#claimed.delete(piece)
    receiver.revealed.add(piece)
    receiver.given.set(piece, this.#pieceLength(piece))
    return this.#pieceLength(piece)
  }

  /** Whether there is anybody but the one who claims them. */
  get #claimsMatter(): boolean {
    return this.#claimed.size > 0 && this.#receivers.size > 1
  }

  #nextFor({ has }: Receiver): number | undefined {
    return this.#waiting.size > 0 ? this.#nextWaiting() : this.#claimed.firstOutside(has)
  }

  /** In order from where the last one was, so that the disk is read in order. */
  #nextWaiting(): number {
    while (!this.#waiting.has(this.#next)) this.#next = (this.#next + 1) % this.#pieceCount
    return this.#next
  }

  /** Unless the piece is on its way to somebody, or with somebody who had it from here, or with several. */
  #waitAgain(piece: number): void {
    const copies = this.#copies[piece] ?? 0
    if (copies > 1) return
    for (const { given, revealed, has } of this.#receivers.values())
      if (given.has(piece) || (revealed.has(piece) && has.has(piece))) return
    if (copies === 0) this.#waiting.add(piece)
    else this.#claimed.add(piece)
  }

  #countUnshared(piece: number, change: 1 | -1, except?: number): void {
    for (const other of this.#receivers.values()) {
      if (other.id !== except && other.has.has(piece)) other.unshared += change
    }
  }

  /** The pieces that will leave too late, as things go, latest first: all that were given them are slow or dead. */
  #stuckPieces(now: number): number[] {
    const waits = new Map<number, number>()
    for (const receiver of this.#receivers.values()) {
      const dead = this.#isSilent(receiver, now, HESITANT)
      let before = 0
      for (const [piece, left] of receiver.given) {
        before += left
        if ((this.#copies[piece] ?? 0) > 0) continue
        const wait = dead ? Number.POSITIVE_INFINITY : before / (receiver.pace || Number.POSITIVE_INFINITY)
        waits.set(piece, Math.min(wait, waits.get(piece) ?? Number.POSITIVE_INFINITY))
      }
    }
    const late = [...waits].filter(([, wait]) => wait > PATIENCE)
    return late.sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([piece]) => piece)
  }
}

function ahead(receiver: Receiver): number {
  let bytes = 0
  for (const left of receiver.given.values()) bytes += left
  return bytes
}

/** Peers that pass on what they get come first. */
function rank(receiver: Receiver): number {
  return receiver.unshared > MOST_UNSHARED ? receiver.unshared : 0
}
