import type { PeerState } from '../peer-state.ts'
import { PieceSet } from '../piece-set.ts'
import { ImportClaims } from './import-claims.ts'
import { ImportRate } from './import-rate.ts'
import { Importers } from './importers.ts'
import { isBest, memberKey } from './rendezvous.ts'
import { Reservations } from './reservations.ts'
import { RipePieces } from './ripe-pieces.ts'
import type { OwnSite } from './site-facts.ts'
import { SiteShares } from './site-shares.ts'

/**
 * A neighbour at the seeder's site that had nothing to send for this long is asked for the share of a late site. If far less comes
 * from other sites than at its best, it is also asked for pieces that other sites have.
 */
const IDLE_S = 0.5
/** A member that has no piece of its own left to begin reserves others' pieces: as many as come in this time. */
const RESERVED_S = 0.2

/** The intersection of these sets. */
export type Choice = readonly PieceSet[]

/**
 * Decides which pieces are requested from other sites, so that each crosses into this site once (NOTES.md). A member first takes
 * the pieces that are its own by hash, then those that no other member has begun. These are only preferences, and they end when
 * nothing comes.
 */
export class SiteImports {
  /** Seeders in this site, this participant included if it is one. */
  seeders = 0
  /** Neighbours at other sites. */
  farCount = 0
  #own: OwnSite
  #ownKey: number
  readonly #peers: ReadonlyMap<number, PeerState>
  /** Copies in this site, and at other sites except the seeder's. */
  readonly #copiesHere: Uint16Array
  readonly #copiesElsewhere: Uint16Array
  readonly #claims = new ImportClaims()
  readonly #reservations: Reservations
  /** Pieces that no member has or fetches. */
  readonly #wanted: PieceSet
  readonly #importers: Importers
  readonly #shares: SiteShares
  /** Pieces that only the seeder's site has. */
  readonly #onlyAtSource: PieceSet
  /** Pieces that other sites have. */
  readonly #elsewhere: RipePieces
  readonly #rate = new ImportRate()
  #isActive = false
  #hasNearSeeder = false
  #sourceSite: string | undefined
  /** Set when the neighbours change, so that their sums are computed again. */
  #recountAtS = 0

  /** `peers` are the neighbours. Call `changed` after changing them. */
  constructor(pieceCount: number, own: OwnSite, peers: ReadonlyMap<number, PeerState>) {
    this.#own = own
    this.#ownKey = memberKey(own.key)
    this.#peers = peers
    this.#copiesHere = new Uint16Array(pieceCount)
    this.#copiesElsewhere = new Uint16Array(pieceCount)
    this.#wanted = new PieceSet(pieceCount)
    this.#importers = new Importers(pieceCount)
    this.#shares = new SiteShares(pieceCount)
    this.#onlyAtSource = new PieceSet(pieceCount)
    this.#elsewhere = new RipePieces(pieceCount)
    this.#reservations = new Reservations(pieceCount)
  }

  /** How many members import, this one included if it does. */
  get importers(): number {
    return this.#importers.count
  }

  /** The site of this participant has been found. */
  foundAt(site: string): void {
    this.#own = { ...this.#own, site }
    this.changed()
  }

  /** In a larger swarm leaders import, in the order of their ranks. */
  ledAs(rank: number | undefined): void {
    this.#ownKey = memberKey(this.#own.key, rank)
    this.changed()
  }

  /** A neighbour came, left, stopped answering, or is now known to be elsewhere. */
  changed(): void {
    this.#recountAtS = 0
  }

  peerHas(peer: PeerState, piece: number, nowS: number | undefined): void {
    // Without neighbours at other sites nothing is counted. When one comes, all copies are counted.
    if (peer.isNear && !this.#isActive) return
    this.#claims.kept(piece, peer.id, nowS)
    const wasOnlyAtSource = this.#onlyAtSource.has(piece)
    this.#countCopy(peer, piece)
    if (peer.isNear) return
    const isNews = wasOnlyAtSource && !this.#onlyAtSource.has(piece)
    this.#elsewhere.hear(piece, nowS ?? peer.lastAnswerAtS, isNews)
  }

  /** A member says that it fetches the piece from another site. */
  claimed(peer: PeerState, piece: number, nowS: number): void {
    this.#recount(nowS)
    if (!peer.isNear) return
    if (this.#reservations.contest(piece, () => isBest(this.#ownKey, [peer.siteKey], piece))) return
    if (this.#claims.claim(piece, peer.id, nowS)) this.#wanted.delete(piece)
  }

  /** A block came. */
  arrived(peer: PeerState, bytes: number, nowS: number): void {
    this.#rate.arrived(peer.isNear ? 0 : bytes, nowS)
  }

  /** Ends claims that members do not fulfil. Call it every 0.1 s or so. */
  tick(nowS: number): void {
    this.#recount(nowS)
    if (!this.#isActive) return
    this.#rate.tick(nowS)
    if (this.#importers.includesUs) this.#shares.findLate(this.#copiesHere, this.#copiesElsewhere)
    for (const piece of this.#claims.expire(nowS)) if (this.#copiesHere[piece] === 0) this.#wanted.add(piece)
    this.#elsewhere.tick(nowS)
    this.#reservations.tick(nowS)
  }

  /** Neighbours that deliver the same part of the content as this one: those in this site, or those elsewhere. */
  sharers(peer: PeerState, nowS: number): number {
    this.#recount(nowS)
    if (!this.#isActive) return this.#peers.size
    return peer.isNear ? this.#peers.size - this.farCount : this.farCount
  }

  /** Pieces that a neighbour may be asked for now, the best first; undefined for no restriction. */
  choices(peer: PeerState, nowS: number): readonly Choice[] | undefined {
    this.#recount(nowS)
    if (!this.#isActive || peer.isNear || this.#rate.isFree(nowS)) return undefined
    // A seeder shows each piece to one peer, so nobody else can fetch it.
    if (peer.isSuperSeeding) return [[this.#wanted]]
    if (!this.#fetches) return []
    const wanted = this.#wantedOf(peer, nowS)
    if (this.#importers.count === 1)
      return [
        [...wanted, this.#importers.ourPieces],
        [...wanted, this.#elsewhere.ripe],
      ]
    // Reserved pieces come first, because the other members leave them alone meanwhile.
    return [
      [...wanted, this.#reservations.settled],
      [...wanted, this.#importers.ourPieces],
    ]
  }

  /**
   * Bytes of other members' pieces that this member should reserve now. The only member that imports reserves nothing. The bytes
   * follow the highest rate so far: if they followed the present rate, they would keep it low.
   */
  bytesToReserve(pieceLength: number): number {
    if (!this.#isActive || !this.#fetches || this.#importers.count === 1) return 0
    return pieceLength + this.#rate.highest * RESERVED_S - this.#reservations.size * pieceLength
  }

  /** Pieces of other members that may be reserved, to be fetched from this neighbour. */
  reservable(peer: PeerState, nowS: number): Choice {
    return [...this.#wantedOf(peer, nowS), this.#elsewhere.ripe, this.#reservations.free]
  }

  /** Pieces that are reserved and not begun. */
  get reserved(): Iterable<number> {
    return this.#reservations.waiting
  }

  /** The caller must tell the other members. */
  reserve(piece: number, nowS: number): void {
    this.#reservations.reserve(piece, nowS)
  }

  /** The piece is fetched from another site from now on. Returns whether the other members must be told. */
  begun(piece: number): boolean {
    return !this.#reservations.begun(piece)
  }

  /** Whether this participant fetches anything from other sites. */
  get #fetches(): boolean {
    return this.#importers.includesUs && !this.#hasNearSeeder
  }

  #wantedOf(peer: PeerState, nowS: number): PieceSet[] {
    if (!this.#isAtSource(peer)) return [this.#wanted]
    const idleS = peer.requests.length > 0 ? 0 : nowS - peer.lastAnswerAtS
    if (idleS <= IDLE_S) return [this.#wanted, this.#onlyAtSource, this.#shares.own]
    return this.#rate.isStarved ? [this.#wanted] : [this.#wanted, this.#onlyAtSource, this.#shares.late]
  }

  /**
   * Whether other sites wait for this site to send them the piece. In a mesh the first member that has it tells all; in a larger
   * swarm each tells its own neighbours.
   */
  isNews(piece: number, isMesh: boolean): boolean {
    if (!this.#isActive) return true
    const { site } = this.#own
    const isOurs = site === undefined || site === this.#sourceSite || this.#shares.own.has(piece)
    const isOnlyHere = this.#copiesElsewhere[piece] === 0
    return (isOurs || isOnlyHere) && !(isMesh && this.#isAtOther(piece))
  }

  /** Whether another member has the piece. */
  #isAtOther(piece: number): boolean {
    for (const { isNear, isSeeder, has } of this.#peers.values())
      if (isNear && !isSeeder && has.has(piece)) return true
    return false
  }

  /** Whether a member of this site still has to fetch any of these pieces. */
  hasMoreOf(open: PieceSet): boolean {
    return open.words.some((bits, at) => (bits & (this.#wanted.words[at] ?? 0)) !== 0)
  }

  #isAtSource({ isSeeder, site }: PeerState): boolean {
    return isSeeder || (site !== undefined && site === this.#sourceSite)
  }

  #countCopy(peer: PeerState, piece: number): void {
    if (peer.isNear) {
      this.#copiesHere[piece] = (this.#copiesHere[piece] ?? 0) + 1
      this.#wanted.delete(piece)
      this.#reservations.giveUp(piece)
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
    this.farCount = peers.filter(({ isNear }) => !isNear).length
    this.#sourceSite = this.#own.seederSite ?? peers.find(({ isSeeder }) => isSeeder)?.site
    this.#hasNearSeeder = members.some(({ isSeeder }) => isSeeder)
    this.seeders = members.filter(({ isSeeder }) => isSeeder).length + (this.#own.isSeeder ? 1 : 0)
    const others = members.filter(({ isSeeder }) => !isSeeder).map(({ siteKey }) => siteKey)
    this.#importers.choose(this.#own.isSeeder ? others : [this.#ownKey, ...others], this.#ownKey)
    const otherSites = peers.flatMap((peer) => (this.#isAtSource(peer) ? [] : (peer.site ?? [])))
    this.#shares.choose(this.#own.site, otherSites)
    this.#copiesHere.fill(0)
    this.#copiesElsewhere.fill(0)
    this.#onlyAtSource.fill()
    this.#claims.keepOnly((peer) => members.some(({ id }) => id === peer))
    this.#wanted.fillWith((piece) => !this.#claims.has(piece))
    for (const peer of peers)
      if (!peer.isNear || members.includes(peer)) for (const piece of peer.has) this.#countCopy(peer, piece)
  }

  /** A member that does not answer counts as gone until it is asked again. */
  #isAway({ pausedUntilS }: PeerState, nowS: number): boolean {
    if (pausedUntilS <= nowS) return false
    this.#recountAtS = Math.min(this.#recountAtS, pausedUntilS)
    return true
  }
}
