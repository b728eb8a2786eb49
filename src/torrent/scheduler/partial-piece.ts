import type { DeliveryMark } from './delivery-rate.ts'
import { UNIT_BYTES } from './request-window.ts'

/** One block of a piece. `offset` and `length` in bytes. */
export interface Block {
  piece: number
  offset: number
  length: number
}

/** A pending request: a block that a peer was asked for and that has not come. */
export interface BlockRequest extends Block {
  peer: number
  askedAtS: number
  /** Bytes that the peer owed when it was asked for this block, the block included. */
  owedBytes: number
  /** The progress of the peer's delivery when it was asked. */
  asked: DeliveryMark
}

const NONE: readonly BlockRequest[] = []

const FREE = 0
const ASKED = 1
const HERE = 2

/** A piece that is being downloaded, in units of 16 KiB: each is free, asked for, or here (STATE.md). */
export class PartialPiece {
  readonly piece: number
  readonly length: number
  readonly units: Uint8Array
  readonly requests: BlockRequest[] = []
  /** The peer from which the whole piece is requested, as long as it is quick enough. */
  owner: number
  /** No other peer helps. The piece was wrong once, so this time all of it comes from one peer. */
  readonly singleSource: boolean
  /** It is fetched from another site, and the members of this one know that. */
  isImport = false
  free: number
  missing: number
  /** Units that were on the disk at the start, are not zeros, and were never verified; undefined once the piece begins anew. */
  unverified: Uint8Array | undefined
  #untouched: number

  constructor(
    piece: number,
    length: number,
    owner: number,
    { ofOne = false, unverified }: { ofOne?: boolean; unverified?: Uint8Array | undefined } = {},
  ) {
    this.piece = piece
    this.length = length
    this.owner = owner
    this.singleSource = ofOne
    this.units = new Uint8Array(Math.ceil(length / UNIT_BYTES))
    this.free = this.units.length
    this.missing = this.units.length
    this.unverified = unverified
    unverified?.forEach((isHere, unit) => {
      if (isHere === 0) return
      this.units[unit] = HERE
      this.free--
      this.missing--
    })
    this.#untouched = this.missing
  }

  /** Takes the first run of free units as a block of at most `largest` bytes. */
  take(largest: number): Block | undefined {
    const first = this.units.indexOf(FREE)
    if (first < 0) return undefined
    const limit = Math.min(this.units.length, first + largest / UNIT_BYTES)
    let end = first
    while (end < limit && this.units[end] === FREE) this.units[end++] = ASKED
    this.free -= end - first
    const offset = first * UNIT_BYTES
    return { piece: this.piece, offset, length: Math.min(this.length, end * UNIT_BYTES) - offset }
  }

  /** The request is given up. Its units become free again, unless they are here or another peer is asked for them. */
  release(request: BlockRequest): void {
    this.drop(request)
    this.#eachUnit(request, (unit) => {
      if (this.units[unit] !== ASKED || this.#isAsked(unit)) return
      this.units[unit] = FREE
      this.free++
    })
  }

  /** Drops the downloaded bytes. They are fetched again. */
  restart(): void {
    this.requests.length = 0
    this.units.fill(FREE)
    this.free = this.units.length
    this.missing = this.units.length
    this.unverified = undefined
    this.#untouched = this.missing
  }

  /** Whether no block has come yet. */
  get isUntouched(): boolean {
    return this.missing === this.#untouched
  }

  /** The block arrived. Returns how many of its units were not here before. */
  arrived(block: Block): number {
    let fresh = 0
    this.#eachUnit(block, (unit) => {
      if (this.units[unit] === HERE) return
      if (this.units[unit] === FREE) this.free--
      this.units[unit] = HERE
      this.missing--
      fresh++
    })
    return fresh
  }

  /** Pending requests that a block makes needless by its arrival: all of their bytes are here. */
  madeNeedlessBy(block: Block): readonly BlockRequest[] {
    if (this.requests.length === 0) return NONE
    return this.requests.filter((request) => overlaps(request, block) && this.#isHere(request))
  }

  drop(request: BlockRequest): void {
    const at = this.requests.indexOf(request)
    if (at === 0) this.requests.shift()
    else if (at > 0) this.requests.splice(at, 1)
  }

  /** Whether every unit of the block is here. */
  #isHere(block: Block): boolean {
    let all = true
    this.#eachUnit(block, (unit) => {
      all &&= this.units[unit] === HERE
    })
    return all
  }

  #isAsked(unit: number): boolean {
    const offset = unit * UNIT_BYTES
    return this.requests.some(
      (request) => request.offset <= offset && offset < request.offset + request.length,
    )
  }

  #eachUnit(block: Block, visit: (unit: number) => void): void {
    const end = Math.ceil((block.offset + block.length) / UNIT_BYTES)
    for (let unit = Math.floor(block.offset / UNIT_BYTES); unit < end; unit++) visit(unit)
  }
}

export function overlaps(a: Block, b: Block): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length
}
