import { randomBytes } from 'node:crypto'
import { PROOF_EXTENSION, PROOF_EXTENSION_ID } from '../wire/extensions.ts'
import type { PeerWire } from '../wire/peer-wire.ts'
import { isProof, NONCE_BYTES, proofOf, type Transcript } from './proof.ts'

/** Key of the extended handshake that carries the nonce. */
const NONCE_KEY = 'murder_nonce'

interface Parties {
  key: Buffer
  /** Hex. */
  infoHash: string
  /** Ours, hex. */
  peerId: string
  /** Whether we have opened the connection. */
  outgoing: boolean
}

/**
 * Both ends prove that they know the swarm's key before anything else is said. Nonces travel in the extended handshakes, and
 * each end answers the other's nonce with a proof. Until the other side's proof is right the wire stays locked: only these
 * messages are accepted and sent. A wrong proof closes the connection.
 *
 * The opener learns the listener's nonce first and can send its own nonce and its proof together. So it all takes one
 * round trip.
 */
export function authenticate(wire: PeerWire, parties: Parties, proved: () => void): void {
  const { key, outgoing } = parties
  const ownNonce = randomBytes(NONCE_BYTES)
  const [ownRole, theirRole] = outgoing
    ? (['opener', 'listener'] as const)
    : (['listener', 'opener'] as const)
  let transcript: Transcript | undefined
  wire.lock()
  wire.extendedMapping[PROOF_EXTENSION_ID] = PROOF_EXTENSION
  wire.extendedHandshake[NONCE_KEY] = ownNonce
  wire.on('extended-handshake', (content) => {
    if (!wire.isLocked) return
    transcript = transcript ? undefined : transcriptOf(wire, parties, ownNonce, content)
    if (transcript) wire.extended(PROOF_EXTENSION, proofOf(key, ownRole, transcript))
    else wire.destroy()
  })
  wire.on('extended', (extension, content) => {
    if (!wire.isLocked) return
    if (extension === PROOF_EXTENSION && transcript && isProof(key, theirRole, transcript, content)) {
      wire.unlock()
      proved()
    } else wire.destroy()
  })
}

/** Undefined when the other side does not offer a proof. */
function transcriptOf(
  wire: PeerWire,
  parties: Parties,
  ownNonce: Buffer,
  handshake: Record<string, unknown>,
): Transcript | undefined {
  const nonce = handshake[NONCE_KEY]
  if (!(nonce instanceof Uint8Array) || nonce.length !== NONCE_BYTES) return undefined
  if (!wire.peerExtendedMapping[PROOF_EXTENSION]) return undefined
  const we = { peerId: Buffer.from(parties.peerId, 'hex'), nonce: ownNonce }
  const they = { peerId: Buffer.from(wire.peerId ?? '', 'hex'), nonce: Buffer.from(nonce) }
  const infoHash = Buffer.from(parties.infoHash, 'hex')
  return parties.outgoing
    ? { infoHash, opener: we, listener: they }
    : { infoHash, opener: they, listener: we }
}
