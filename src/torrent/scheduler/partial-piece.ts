import { UNIT } from './request-window.ts'

/** One block of a piece; all in bytes but `piece`. */
export interface Block {
  piece: number
  offset: number
  length: number
}

/** A block that was asked of a peer and has not come. */
export interface Flight extends Block {
  peer: number
  /** Seconds, on the clock of the caller. */
  askedAt: number
  /** Bytes that the peer owed when this was asked for, this included. */
  underway: number
}

const FREE = 0
const ASKED = 1
const HERE = 2

/** A piece that is being fetched, in units of 16 KiB: each is free, asked for or here. */
export class PartialPiece {
  readonly piece: number
  readonly length: number
  readonly units: Uint8Array
  readonly flights: Flight[] = []
  /** The peer that all of it is asked of, as long as that one is quick enough. */
  owner: number
  /** Nobody else helps: it was wrong once, and of several senders it could not be told whose fault that was. */
  readonly ofOne: boolean
  free: number
  missing: number

  constructor(piece: number, length: number, owner: number, ofOne = false) {
    this.piece = piece
    this.length = length
    this.owner = owner
    this.ofOne = ofOne
    this.units = new Uint8Array(Math.ceil(length / UNIT))
    this.free = this.units.length
    this.missing = this.units.length
  }

  /** Takes the first free run of units, at most `largest` bytes long. */
  take(largest: number): Block | undefined {
    const first = this.units.indexOf(FREE)
    if (first < 0) return undefined
    const limit = Math.min(this.units.length, first + largest / UNIT)
    let end = first
    while (end < limit && this.units[end] === FREE) this.units[end++] = ASKED
    this.free -= end - first
    const offset = first * UNIT
    return { piece: this.piece, offset, length: Math.min(this.length, end * UNIT) - offset }
  }

  /** A flight failed: what nobody else is asked for and is not here becomes free again. */
  release(flight: Flight): void {
    this.drop(flight)
    this.#eachUnit(flight, (unit) => {
      if (this.units[unit] !== ASKED || this.#isAsked(unit)) return
      this.units[unit] = FREE
      this.free++
    })
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

  /** Requests that a block which has arrived makes needless: all of their bytes are here. */
  overtakenBy(block: Block): Flight[] {
    return this.flights.filter((flight) => overlaps(flight, block) && this.#covers(flight))
  }

  drop(flight: Flight): void {
    const at = this.flights.indexOf(flight)
    if (at >= 0) this.flights.splice(at, 1)
  }

  /** Whether every unit of the block is here. */
  #covers(block: Block): boolean {
    let all = true
    this.#eachUnit(block, (unit) => {
      all &&= this.units[unit] === HERE
    })
    return all
  }

  #isAsked(unit: number): boolean {
    const offset = unit * UNIT
    return this.flights.some((flight) => flight.offset <= offset && offset < flight.offset + flight.length)
  }

  #eachUnit(block: Block, visit: (unit: number) => void): void {
    const end = Math.ceil((block.offset + block.length) / UNIT)
    for (let unit = Math.floor(block.offset / UNIT); unit < end; unit++) visit(unit)
  }
}

export function overlaps(a: Block, b: Block): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length
}
