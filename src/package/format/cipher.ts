import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { MurderError } from '../../errors.ts'

/**
 * A package as ciphertext: AES-256-GCM in chunks, after the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, 2015). A
 * chunk's nonce is its number and whether it is the last. So decryption fails when chunks are changed, moved, left out, repeated
 * or cut off at the end. It yields no byte of a chunk before the chunk is authenticated. A key is for one package only, because
 * the numbers begin at 0 in each.
 */
const ALGORITHM = 'aes-256-gcm'
const CHUNK_BYTES = 64 * 1024
const TAG_BYTES = 16
const NONCE_BYTES = 12

/** A key for one package, hex. */
export const newKey = (): string => randomBytes(32).toString('hex')

export async function* encrypt(parts: AsyncIterable<Buffer>, key: string): AsyncGenerator<Buffer> {
  const secret = Buffer.from(key, 'hex')
  for await (const { bytes, index, last } of inChunks(parts, CHUNK_BYTES)) {
    const cipher = createCipheriv(ALGORITHM, secret, nonceOf(index, last))
    const sealed = cipher.update(bytes)
    cipher.final()
    yield sealed
    yield cipher.getAuthTag()
  }
}

/** Throws PACKAGE_DAMAGED. */
export async function* decrypt(parts: AsyncIterable<Buffer>, key: string): AsyncGenerator<Buffer> {
  const secret = Buffer.from(key, 'hex')
  for await (const { bytes, index, last } of inChunks(parts, CHUNK_BYTES + TAG_BYTES)) {
    yield open(secret, bytes, nonceOf(index, last))
  }
}

function open(secret: Buffer, chunk: Buffer, nonce: Buffer): Buffer {
  const length = chunk.length - TAG_BYTES
  try {
    const decipher = createDecipheriv(ALGORITHM, secret, nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(chunk.subarray(Math.max(0, length)))
    const plain = decipher.update(chunk.subarray(0, Math.max(0, length)))
    decipher.final()
    return plain
  } catch (cause) {
    throw new MurderError('PACKAGE_DAMAGED', 'the package cannot be decrypted: it is not what was sent', {
      cure: 'deploy again',
      cause,
    })
  }
}

function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUIntBE(index, NONCE_BYTES - 7, 6)
  nonce[NONCE_BYTES - 1] = last ? 1 : 0
  return nonce
}

/** Chunks of one length, at least one; only the last may be shorter. Each is valid until the next is requested. */
async function* inChunks(
  parts: AsyncIterable<Buffer>,
  length: number,
): AsyncGenerator<{ bytes: Buffer; index: number; last: boolean }> {
  const chunk = Buffer.allocUnsafeSlow(length)
  let filled = 0
  let index = 0
  for await (const part of parts) {
    for (let at = 0; at < part.length; ) {
      // A full chunk waits until there is more: only then is it known not to be the last.
      if (filled === length) {
        yield { bytes: chunk, index: index++, last: false }
        filled = 0
      }
      const copied = part.copy(chunk, filled, at)
      at += copied
      filled += copied
    }
  }
  yield { bytes: chunk.subarray(0, filled), index, last: true }
}
