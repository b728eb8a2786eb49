import type { PeerState } from './peer-state.ts'
import { PieceSet } from './piece-set.ts'
import { hashOf, isBest } from './rendezvous.ts'
import type { OwnSite } from './site-facts.ts'

/** So many members of a site fetch from other sites: enough flows for a long way, and few enough to know of each other. */
export const MAX_IMPORTERS = 8
/** A piece that a member says it fetches is left to it for so long, or for so many times what that usually takes. */
const CLAIM_S = 1
const USUAL_CLAIMS = 3
/** Until it is known how long that takes. */
const FIRST_CLAIM_S = 1.5
/** A piece that another site has had for so long may be fetched by others than the member whose it is by hash. */
const RIPE_S = 0.2
/**
 * A neighbour at the seeder's site that had nothing to send for so long is asked for the share of another site, and at last
 * for pieces that another site could send, too.
 */
const OTHER_SHARES_S = 0.5
const ANY_S = 2
/** When nothing at all came for so long, everybody is asked for everything, at first for the second time. */
const STALL_S = 2
const FIRST_FREEDOM_S = 5

/** The pieces that are in all of these sets. */
export type Choice = readonly PieceSet[]

interface Claim {
  peer: number
  atS: number
}

/**
 * Decides which pieces are asked of neighbours at other sites, so that each crosses into this site once (NOTES.md). A member of
 * the site takes first the pieces that are its own by hash, then those that no other member has begun. All of this is
 * preference: it ends when nothing comes.
 */
export class SiteImports {
  /** Members that import, this one included if it does. */
  importers = 1
  /** Whether this participant is one of them. */
  isImporter = true
  readonly #own: OwnSite
  readonly #ownKey: number
  readonly #pieceCount: number
  readonly #peers: ReadonlyMap<number, PeerState>
  /** Copies in this site, and at other sites than the seeder's. */
  readonly #copiesHere: Uint16Array
  readonly #copiesElsewhere: Uint16Array
  readonly #claims = new Map<number, Claim>()
  /** From a member's word that it fetches a piece until it has it, smoothed. */
  #usualClaimS = 0
  /** Pieces that no member has or fetches. */
  readonly #wanted: PieceSet
  /** Pieces that are this member's by hash. */
  readonly #mine: PieceSet
  /** Pieces that this site takes from the seeder's site, and passes on to the others. */
  readonly #share: PieceSet
  /** Pieces that no site has but the seeder's. */
  readonly #onlyAtSource: PieceSet
  /** Pieces that were heard of at other sites, since when, and those of them that are ripe. */
  readonly #heard = new Map<number, number>()
  readonly #ripe: PieceSet
  #isActive = false
  #hasNearSeeder = false
  #sourceSite: string | undefined
  /** The neighbours have changed at this time; what is kept about them is counted again. */
  #recountAtS = 0
  #lastArrivalS: number | undefined
  #freeUntilS = 0
  #freedomS = FIRST_FREEDOM_S

  /** `peers` are the neighbours; who changes them says so with `changed`. */
  constructor(pieceCount: number, own: OwnSite, peers: ReadonlyMap<number, PeerState>) {
    this.#pieceCount = pieceCount
    this.#own = own
    this.#ownKey = hashOf(own.key)
    this.#peers = peers
    this.#copiesHere = new Uint16Array(pieceCount)
    this.#copiesElsewhere = new Uint16Array(pieceCount)
    this.#wanted = new PieceSet(pieceCount)
    this.#mine = new PieceSet(pieceCount)
    this.#share = new PieceSet(pieceCount)
    this.#onlyAtSource = new PieceSet(pieceCount)
    this.#ripe = new PieceSet(pieceCount)
  }

  /** A neighbour came, left, stopped answering, or is now known to be elsewhere. */
  changed(): void {
    this.#recountAtS = 0
  }

  peerHas(peer: PeerState, piece: number, nowS: number | undefined): void {
    const claim = this.#claims.get(piece)
    if (claim?.peer === peer.id) {
      this.#claims.delete(piece)
      if (nowS !== undefined) this.#claimKept(nowS - claim.atS)
    }
    const wasOnlyAtSource = this.#onlyAtSource.has(piece)
    this.#countCopy(peer, piece)
    if (!peer.isNear)
      this.#hear(piece, nowS ?? peer.lastAnswerAtS, wasOnlyAtSource && !this.#onlyAtSource.has(piece))
  }

  /** A member says that it fetches the piece from another site. Only the first word about a piece counts. */
  claimed(peer: PeerState, piece: number, nowS: number): void {
    this.#recount(nowS)
    if (!peer.isNear || !this.#wanted.has(piece)) return
    this.#claims.set(piece, { peer: peer.id, atS: nowS })
    this.#wanted.delete(piece)
  }

  /** A block came. */
  arrived(nowS: number): void {
    this.#lastArrivalS = nowS
  }

  /** Takes back what members claimed and do not bring. Call it every 0.1 s or so. */
  tick(nowS: number): void {
    this.#recount(nowS)
    if (!this.#isActive) return
    const patienceS =
      this.#usualClaimS === 0 ? FIRST_CLAIM_S : Math.max(CLAIM_S, USUAL_CLAIMS * this.#usualClaimS)
    for (const [piece, { atS }] of [...this.#claims]) if (nowS - atS > patienceS) this.#endClaim(piece)
    for (const [piece, atS] of this.#heard) {
      if (nowS - atS < RIPE_S) break
      this.#heard.delete(piece)
      this.#ripe.add(piece)
    }
    this.#lastArrivalS ??= nowS
    if (nowS < this.#freeUntilS || nowS - this.#lastArrivalS < STALL_S) return
    this.#freeUntilS = nowS + this.#freedomS
    this.#freedomS *= 2
  }

  /** Of which pieces a neighbour may be asked now, the best first; undefined when it may be asked for all alike. */
  choices(peer: PeerState, nowS: number): readonly Choice[] | undefined {
    this.#recount(nowS)
    if (!this.#isActive || peer.isNear || nowS < this.#freeUntilS) return undefined
    // A seeder shows each piece to one peer: nobody else can fetch it.
    if (peer.isSuperSeeding) return [[this.#wanted]]
    if (!this.isImporter || this.#hasNearSeeder) return []
    const wanted = [this.#wanted]
    if (this.#isAtSource(peer)) {
      const idleS = peer.requests.length > 0 ? 0 : nowS - peer.lastAnswerAtS
      if (idleS <= ANY_S) wanted.push(this.#onlyAtSource)
      if (idleS <= OTHER_SHARES_S) wanted.push(this.#share)
    }
    return [
      [...wanted, this.#mine],
      [...wanted, this.#ripe],
    ]
  }

  /** It ripens anew when it becomes news to ask sites for that pass it on. */
  #hear(piece: number, nowS: number, isNews: boolean): void {
    if (isNews) this.#ripe.delete(piece)
    else if (this.#heard.has(piece) || this.#ripe.has(piece)) return
    this.#heard.delete(piece)
    this.#heard.set(piece, nowS)
  }

  #claimKept(tookS: number): void {
    this.#usualClaimS = this.#usualClaimS === 0 ? tookS : this.#usualClaimS * 0.75 + tookS * 0.25
  }

  #endClaim(piece: number): void {
    this.#claims.delete(piece)
    if (this.#copiesHere[piece] === 0) this.#wanted.add(piece)
  }

  #isAtSource({ isSeeder, site }: PeerState): boolean {
    return isSeeder || (site !== undefined && site === this.#sourceSite)
  }

  #countCopy(peer: PeerState, piece: number): void {
    if (peer.isNear) {
      this.#copiesHere[piece] = (this.#copiesHere[piece] ?? 0) + 1
      this.#wanted.delete(piece)
    } else if (!this.#isAtSource(peer)) {
      this.#copiesElsewhere[piece] = (this.#copiesElsewhere[piece] ?? 0) + 1
      this.#onlyAtSource.delete(piece)
    }
  }

  #recount(nowS: number): void {
    if (nowS < this.#recountAtS) return
    this.#recountAtS = Number.POSITIVE_INFINITY
    const peers = [...this.#peers.values()]
    const members = peers.filter((peer) => peer.isNear && !this.#isAway(peer, nowS))
    this.#isActive = members.length < peers.length && (members.length > 0 || this.#own.site !== undefined)
    if (!this.#isActive) return
    this.#sourceSite = this.#own.seederSite ?? peers.find(({ isSeeder }) => isSeeder)?.site
    this.#hasNearSeeder = members.some(({ isSeeder }) => isSeeder)
    this.#chooseImporters(members.filter(({ isSeeder }) => !isSeeder).map(({ siteKey }) => siteKey))
    this.#chooseShare(peers)
    this.#copiesHere.fill(0)
    this.#copiesElsewhere.fill(0)
    this.#wanted.fill()
    this.#onlyAtSource.fill()
    for (const [piece, { peer }] of [...this.#claims]) {
      if (members.some(({ id }) => id === peer)) this.#wanted.delete(piece)
      else this.#claims.delete(piece)
    }
    for (const peer of peers)
      if (!peer.isNear || members.includes(peer)) for (const piece of peer.has) this.#countCopy(peer, piece)
  }

  /** A member that does not answer counts as gone until it is asked again. */
  #isAway({ pausedUntilS }: PeerState, nowS: number): boolean {
    if (pausedUntilS <= nowS) return false
    this.#recountAtS = Math.min(this.#recountAtS, pausedUntilS)
    return true
  }

  #chooseImporters(others: number[]): void {
    const importers = [this.#ownKey, ...others].sort((a, b) => a - b).slice(0, MAX_IMPORTERS)
    this.importers = importers.length
    this.isImporter = importers.includes(this.#ownKey)
    this.#fill(this.#mine, (piece) => isBest(this.#ownKey, importers, piece))
  }

  /** Where sites are named, each takes from the seeder's site what it is to pass on. */
  #chooseShare(peers: PeerState[]): void {
    const { site } = this.#own
    const others = new Set(peers.flatMap((peer) => (this.#isAtSource(peer) ? [] : (peer.site ?? []))))
    const keys = [...others].map(hashOf)
    this.#fill(this.#share, (piece) => site === undefined || isBest(hashOf(site), keys, piece))
  }

  #fill(set: PieceSet, accept: (piece: number) => boolean): void {
    for (let piece = 0; piece < this.#pieceCount; piece++) {
      if (accept(piece)) set.add(piece)
      else set.delete(piece)
    }
  }
}
