/** Numbers and bytes in a row, in as few bytes as they need: integers have seven bits in each byte, the lowest first. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#length++] = value
  }

  /** A whole number from 0 to 2^53 - 1. */
  uint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80)
    this.byte(rest)
  }

  /** A whole number of either sign, in the order 0, -1, 1, -2, … so that small ones are short. */
  int(value: number): void {
    this.uint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  bigInt(value: bigint): void {
    let rest = value < 0n ? -2n * value - 1n : 2n * value
    for (; rest > MAX_SAFE; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80)
    this.uint(Number(rest))
  }

  bytes(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Returns the bytes that were written so far, and empties the writer. They are valid until the next are written. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#length = 0
    return taken
  }

  #grow(by: number): void {
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + by))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Reads a ByteWriter's output from an untrusted source. `broken` makes the error for anything impossible. */
export class ByteReader {
  readonly #bytes: Buffer
  readonly #broken: (why: string) => Error
  #at = 0

  constructor(bytes: Buffer, broken: (why: string) => Error) {
    this.#bytes = bytes
    this.#broken = broken
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    const value = this.#bytes[this.#at++]
    if (value === undefined) throw this.#broken('it ends too early')
    return value
  }

  uint(most = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 53; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if (value > most) break
      return value
    }
    throw this.#broken('a number is too large')
  }

  int(): number {
    const value = this.uint()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }

  bigInt(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 77n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value % 2n === 1n ? -(value + 1n) / 2n : value / 2n
    }
    throw this.#broken('a number is too large')
  }

  /** Valid as long as the bytes that are read from. */
  bytes(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw this.#broken('it ends too early')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
}
