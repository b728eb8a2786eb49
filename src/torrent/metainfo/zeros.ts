import { createHash } from 'node:crypto'

const zeros = Buffer.alloc(256 * 1024)

/** Whether all bytes are zeros: sparse files have many. Comparing is several times as fast as hashing. */
export function areZeros(content: Uint8Array): boolean {
  for (let at = 0; at < content.length; at += zeros.length) {
    const part = content.subarray(at, at + zeros.length)
    if (Buffer.compare(part, zeros.subarray(0, part.length)) !== 0) return false
  }
  return true
}

const digestsOfZeros = new Map<number, Buffer>()

/** SHA-1 of so many zeros. */
export function digestOfZeros(length: number): Buffer {
  const digest = digestsOfZeros.get(length) ?? hashOfZeros(length).digest()
  digestsOfZeros.set(length, digest)
  return digest
}

/** A SHA-1 that begins with so many zeros. */
export function hashOfZeros(length: number): ReturnType<typeof createHash> {
  const hash = createHash('sha1')
  for (let at = 0; at < length; at += zeros.length) hash.update(zeros.subarray(0, length - at))
  return hash
}
