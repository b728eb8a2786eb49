/**
 * A hash of a window of bytes that moves on by a byte in constant time (Karp and Rabin, 1987): the bytes are the digits of a
 * number in base `BASE`, modulo 2^32. Any odd base with well spread bits will do.
 */
const BASE = 0x2c1b3c6d
const BASE_2 = Math.imul(BASE, BASE)
const BASE_3 = Math.imul(BASE_2, BASE)
const BASE_4 = Math.imul(BASE_2, BASE_2)

export function hashWindow(bytes: Uint8Array, at: number, length: number): number {
  let hash = 0
  let i = at
  // Four at a time: these products do not wait for each other.
  for (const end = at + length - 3; i < end; i += 4)
    hash =
      (Math.imul(hash, BASE_4) +
        Math.imul(bytes[i] as number, BASE_3) +
        Math.imul(bytes[i + 1] as number, BASE_2) +
        Math.imul(bytes[i + 2] as number, BASE) +
        (bytes[i + 3] as number)) |
      0
  for (const end = at + length; i < end; i++) hash = (Math.imul(hash, BASE) + (bytes[i] as number)) | 0
  return hash
}

/** The weight of a window's first byte after the next byte has come in. */
export function leavingFactor(length: number): number {
  let factor = 1
  for (let i = 0; i < length; i++) factor = Math.imul(factor, BASE)
  return factor
}

/** The hash of the window one byte further. `factor` is from `leavingFactor`. */
export const rollHash = (hash: number, factor: number, leaving: number, coming: number): number =>
  (Math.imul(hash, BASE) + coming - Math.imul(factor, leaving)) | 0

/** The highest `32 - shift` bits of the hash. These depend on all bytes; the lowest bits do not. */
export const slotOf = (hash: number, shift: number): number => Math.imul(hash, 0x9e3779b1) >>> shift
