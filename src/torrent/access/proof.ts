import { createHmac, timingSafeEqual } from 'node:crypto'

/** What both ends of a connection know about it. The `opener` has opened the connection, the `listener` has accepted it. */
export interface Transcript {
  infoHash: Buffer
  opener: { peerId: Buffer; nonce: Buffer }
  listener: { peerId: Buffer; nonce: Buffer }
}

export const NONCE_BYTES = 32

/**
 * Proves that one end knows the key: HMAC-SHA256 over the whole transcript and the role of the prover. It covers both nonces, so
 * an old proof is worthless. It covers the role, so a reflected proof is worthless. It covers peer ids and infohash, so a proof
 * cannot be used on another connection. All parts have fixed lengths.
 */
export function proofOf(key: Buffer, by: 'opener' | 'listener', transcript: Transcript): Buffer {
  const { infoHash, opener, listener } = transcript
  return createHmac('sha256', key)
    .update(`murder proof 1 ${by}\n`)
    .update(infoHash)
    .update(opener.peerId)
    .update(listener.peerId)
    .update(opener.nonce)
    .update(listener.nonce)
    .digest()
}

/** Compares in constant time. */
export function isProof(
  key: Buffer,
  by: 'opener' | 'listener',
  transcript: Transcript,
  given: Uint8Array,
): boolean {
  const right = proofOf(key, by, transcript)
  return given.length === right.length && timingSafeEqual(given, right)
}
