import { randomBytes } from 'node:crypto'
import type { PeerWire } from '../wire/peer-wire.ts'
import { isProof, type Meeting, NONCE_LENGTH, proofOf } from './proof.ts'

/** Names of the extension (BEP 10) whose one message is a proof, and of the nonce in the extended handshake. */
const EXTENSION = 'murder_proof'
const EXTENSION_ID = 20
const NONCE = 'murder_nonce'

interface Parties {
  key: Buffer
  /** Hex. */
  infoHash: string
  peerId: string
  outgoing: boolean
}

/**
 * Both ends prove that they know the swarm's key before anything else is said: nonces travel in the extended
 * handshakes, and each answers the other's with a proof. Until the other side's proof is right the wire stays locked:
 * nothing but these messages is taken, and nothing but them is sent. A wrong proof ends the connection.
 *
 * Who dials learns the nonce first and so can send nonce and proof at once: all takes one round trip.
 */
export function authenticate(wire: PeerWire, parties: Parties, proved: () => void): void {
  const own = randomBytes(NONCE_LENGTH)
  let meeting: Meeting | undefined
  const { key, outgoing } = parties
  wire.lock()
  wire.extendedMapping[EXTENSION_ID] = EXTENSION
  wire.extendedHandshake[NONCE] = own
  const [we, they] = outgoing ? (['opener', 'listener'] as const) : (['listener', 'opener'] as const)
  wire.on('extended', (name: unknown, content: unknown) => {
    if (!wire.isLocked) return
    if (name === 'handshake' && !meeting) {
      meeting = meet(wire, parties, own, content)
      if (meeting) wire.extended(EXTENSION, proofOf(key, we, meeting))
      else wire.destroy()
    } else if (name === EXTENSION && meeting && isProof(key, they, meeting, content as Uint8Array)) {
      wire.unlock()
      proved()
    } else wire.destroy()
  })
}

/** Undefined when the other side does not offer to prove anything. */
function meet(wire: PeerWire, parties: Parties, own: Buffer, handshake: unknown): Meeting | undefined {
  const nonce = (handshake as Record<string, unknown> | undefined)?.[NONCE]
  if (!(nonce instanceof Uint8Array) || nonce.length !== NONCE_LENGTH) return undefined
  if (!(wire.peerExtendedMapping[EXTENSION] ?? 0)) return undefined
  const we = { peerId: Buffer.from(parties.peerId, 'hex'), nonce: own }
  const they = { peerId: Buffer.from(wire.peerId ?? '', 'hex'), nonce: Buffer.from(nonce) }
  const infoHash = Buffer.from(parties.infoHash, 'hex')
  return parties.outgoing
    ? { infoHash, opener: we, listener: they }
    : { infoHash, opener: they, listener: we }
}
