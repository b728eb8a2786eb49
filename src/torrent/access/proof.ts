import { createHmac, timingSafeEqual } from 'node:crypto'

/** What both ends of a connection know of it. Identities and nonces are bytes; `opener` has opened the connection. */
export interface Meeting {
  infoHash: Buffer
  opener: { peerId: Buffer; nonce: Buffer }
  listener: { peerId: Buffer; nonce: Buffer }
}

export const NONCE_LENGTH = 32

/**
 * That one end knows the key: HMAC-SHA256 over all of the meeting and over who says it. Both nonces are in it, so an
 * old proof is worth nothing; the role is in it, so one's own proof sent back is worth nothing; peer ids and infohash
 * are in it, so nobody can use it in another place. All parts have fixed lengths.
 */
export function proofOf(key: Buffer, by: 'opener' | 'listener', meeting: Meeting): Buffer {
  const { infoHash, opener, listener } = meeting
  return createHmac('sha256', key)
    .update(`murder proof 1 ${by}\n`)
    .update(infoHash)
    .update(opener.peerId)
    .update(listener.peerId)
    .update(opener.nonce)
    .update(listener.nonce)
    .digest()
}

/** In constant time. */
export function isProof(
  key: Buffer,
  by: 'opener' | 'listener',
  meeting: Meeting,
  given: Uint8Array,
): boolean {
  const right = proofOf(key, by, meeting)
  return given.length === right.length && timingSafeEqual(given, right)
}
