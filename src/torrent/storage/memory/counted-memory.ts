import type { PiecePool } from './piece-pool.ts'

/** Memory of a pool that has several users. Counts them, its maker included; the last one gives the memory back. */
export class CountedMemory {
  readonly bytes: Buffer
  readonly #pool: PiecePool
  #users = 1

  constructor(length: number, pool: PiecePool) {
    this.#pool = pool
    this.bytes = pool.take(length)
  }

  retain(): void {
    this.#users++
  }

  /** After the last user has called this, `bytes` belong to someone else. */
  release(): void {
    if (--this.#users === 0) this.#pool.giveBack(this.bytes)
  }
}

/** A part of such memory. Who is given it is one of the users, and must release `memory`. */
export interface Content {
  bytes: Buffer
  /** Undefined where nobody uses the memory of `bytes` again. */
  memory: CountedMemory | undefined
}
