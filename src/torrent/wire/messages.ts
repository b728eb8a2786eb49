/** Ids of the messages (BEP 3, BEP 6, BEP 10). */
export const CHOKE = 0
export const UNCHOKE = 1
export const INTERESTED = 2
export const UNINTERESTED = 3
export const HAVE = 4
export const BITFIELD = 5
export const REQUEST = 6
export const PIECE = 7
export const CANCEL = 8
export const HAVE_ALL = 14
export const HAVE_NONE = 15
export const REJECT = 16
export const EXTENDED = 20

/** The part of a `piece` message before its block. */
export const PIECE_HEADER_BYTES = 9

/** Limit of an extension's message (BEP 10): a piece of metadata (BEP 9) has 16 KiB after its header. */
export const LONGEST_EXTENDED_BYTES = 16 * 1024 + 256

/** A message without id or content. */
export const KEEP_ALIVE = Buffer.alloc(4)

/** Bytes of each message of fixed length, its id included. */
const fixedLengths: Record<number, number> = {
  [CHOKE]: 1,
  [UNCHOKE]: 1,
  [INTERESTED]: 1,
  [UNINTERESTED]: 1,
  [HAVE]: 5,
  [REQUEST]: 13,
  [CANCEL]: 13,
  [HAVE_ALL]: 1,
  [HAVE_NONE]: 1,
  [REJECT]: 13,
}

/** Whether a message has the length that its id demands. Unknown ids are accepted. */
export function isWellFormed(message: Buffer): boolean {
  const id = message[0] as number
  const length = fixedLengths[id]
  if (length !== undefined) return message.length === length
  if (id === PIECE) return message.length > PIECE_HEADER_BYTES
  if (id === EXTENDED) return message.length >= 2 && message.length <= LONGEST_EXTENDED_BYTES
  return true
}

const PROTOCOL = Buffer.from('\x13BitTorrent protocol', 'latin1')
const RESERVED = PROTOCOL.length
const INFO_HASH = RESERVED + 8
const PEER_ID = INFO_HASH + 20
export const HANDSHAKE_BYTES = PEER_ID + 20

export interface Handshake {
  /** Hex. */
  infoHash: string
  peerId: string
  /** Whether the peer knows BEP 6. */
  fast: boolean
  /** Whether the peer knows BEP 10. */
  extended: boolean
  /** Whether this is one more connection to a neighbour (`peers/subflows/subflows.ts`). Only agents say so, and only to agents. */
  subflow: boolean
}

/** A reserved bit, by its byte, that no BEP uses. */
const SUBFLOW_BYTE = 3
const SUBFLOW_BIT = 0x20

export function encodeHandshake(infoHash: string, peerId: string, subflow = false): Buffer {
  const bytes = Buffer.alloc(HANDSHAKE_BYTES)
  PROTOCOL.copy(bytes)
  if (subflow) bytes[RESERVED + SUBFLOW_BYTE] = SUBFLOW_BIT
  bytes[RESERVED + 5] = 0x10
  bytes[RESERVED + 7] = 0x04
  bytes.write(infoHash, INFO_HASH, 'hex')
  bytes.write(peerId, PEER_ID, 'hex')
  return bytes
}

/** Undefined when the bytes belong to another protocol. */
export function decodeHandshake(bytes: Buffer): Handshake | undefined {
  if (!PROTOCOL.equals(bytes.subarray(0, PROTOCOL.length))) return undefined
  return {
    infoHash: bytes.toString('hex', INFO_HASH, PEER_ID),
    peerId: bytes.toString('hex', PEER_ID, HANDSHAKE_BYTES),
    fast: ((bytes[RESERVED + 7] as number) & 0x04) !== 0,
    extended: ((bytes[RESERVED + 5] as number) & 0x10) !== 0,
    subflow: ((bytes[RESERVED + SUBFLOW_BYTE] as number) & SUBFLOW_BIT) !== 0,
  }
}
