import bencode from 'bencode'

/** The deepest nesting of lists and dictionaries, the same as libtorrent's. A hybrid torrent has a level for each directory. */
const MAX_DEPTH = 100
/** Digits of a length or an integer. */
const MAX_DIGITS = 16
const [ZERO, NINE, MINUS, COLON, INTEGER, LIST, DICTIONARY, END] = [...Buffer.from('09-:ilde')] as number[]

/**
 * Decodes bencoded bytes (BEP 3) from an untrusted source. Bytes after the first value are ignored. Throws a RangeError when they
 * are malformed. The module by itself accepts negative lengths, and then never ends.
 */
export function decodeUntrusted(bytes: Uint8Array): unknown {
  endOfValue(bytes, 0)
  return bencode.decode(bytes)
}

/** Position after the value at `at`. Throws a RangeError when the value is malformed, incomplete or too deep. */
export function endOfValue(bytes: Uint8Array, at: number, depth = 0): number {
  const type = bytes[at]
  if (type === INTEGER) {
    const digits = bytes[at + 1] === MINUS ? at + 2 : at + 1
    return endOfNumber(bytes, digits, END as number).next
  }
  if (type === LIST || type === DICTIONARY) {
    if (depth === MAX_DEPTH) throw malformed(at)
    let next = at + 1
    while (bytes[next] !== END) {
      if (type === DICTIONARY) next = endOfString(bytes, next)
      next = endOfValue(bytes, next, depth + 1)
    }
    return next + 1
  }
  return endOfString(bytes, at)
}

function endOfString(bytes: Uint8Array, at: number): number {
  const { value, next } = endOfNumber(bytes, at, COLON as number)
  if (next + value > bytes.length) throw malformed(at)
  return next + value
}

function endOfNumber(bytes: Uint8Array, at: number, end: number): { value: number; next: number } {
  let value = 0
  let next = at
  for (; bytes[next] !== end; next++) {
    const digit = bytes[next] as number
    if (next - at === MAX_DIGITS || !(digit >= (ZERO as number) && digit <= (NINE as number)))
      throw malformed(next)
    value = value * 10 + digit - (ZERO as number)
  }
  if (next === at) throw malformed(at)
  return { value, next: next + 1 }
}

const malformed = (at: number) => new RangeError(`not bencoded at byte ${at}`)
