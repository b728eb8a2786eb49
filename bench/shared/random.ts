/** mulberry32: small, seeded, the same on every machine. Uniform in [0, 1). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Bytes that do not compress. */
export function randomBytes(size: number, random: () => number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at)
  for (; at < size; at++) bytes[at] = Math.floor(random() * 256)
  return bytes
}
