/** A set of piece numbers as bits. 1,000 pieces take 128 bytes, and two sets are compared 32 pieces at a time. */
export class PieceSet {
  readonly words: Uint32Array
  readonly capacity: number
  size = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.words = new Uint32Array(Math.ceil(capacity / 32))
  }

  has(piece: number): boolean {
    return ((this.words[piece >>> 5] ?? 0) & (1 << (piece & 31))) !== 0
  }

  add(piece: number): void {
    if (piece < 0 || piece >= this.capacity || this.has(piece)) return
    this.words[piece >>> 5] = (this.words[piece >>> 5] ?? 0) | (1 << (piece & 31))
    this.size++
  }

  delete(piece: number): void {
    if (!this.has(piece)) return
    this.words[piece >>> 5] = (this.words[piece >>> 5] ?? 0) & ~(1 << (piece & 31))
    this.size--
  }

  get full(): boolean {
    return this.size === this.capacity
  }

  fill(): this {
    for (let piece = 0; piece < this.capacity; piece++) this.add(piece)
    return this
  }

  /** From now on it has these pieces only. */
  fillWith(accept: (piece: number) => boolean): void {
    for (let piece = 0; piece < this.capacity; piece++) {
      if (accept(piece)) this.add(piece)
      else this.delete(piece)
    }
  }

  /** The lowest piece that the other set lacks. */
  firstOutside(other: PieceSet): number | undefined {
    for (let word = 0; word < this.words.length; word++) {
      const bits = (this.words[word] ?? 0) & ~(other.words[word] ?? 0)
      if (bits !== 0) return word * 32 + lowestBit(bits)
    }
    return undefined
  }

  *[Symbol.iterator](): Generator<number> {
    for (let word = 0; word < this.words.length; word++) {
      for (let bits = this.words[word] ?? 0; bits !== 0; bits &= bits - 1) {
        yield word * 32 + lowestBit(bits)
      }
    }
  }

  /** The `bitfield` message's payload (BEP 3): the high bit of the first byte is piece 0. */
  toBitfield(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.capacity / 8))
    for (const piece of this) bytes[piece >>> 3] = (bytes[piece >>> 3] ?? 0) | (0x80 >>> (piece & 7))
    return bytes
  }

  /** Spare bits are ignored. */
  static fromBitfield(bytes: Uint8Array, capacity: number): PieceSet {
    const set = new PieceSet(capacity)
    for (let piece = 0; piece < capacity; piece++) {
      if ((bytes[piece >>> 3] ?? 0) & (0x80 >>> (piece & 7))) set.add(piece)
    }
    return set
  }
}

/** Position of the lowest set bit of a non-zero word. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word)
}
