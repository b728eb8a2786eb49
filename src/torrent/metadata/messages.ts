import bencode from 'bencode'
import { endOfValue } from '../encoding/bencode.ts'

/** Length of a piece of metadata; the last one may be shorter (BEP 9). */
export const METADATA_PIECE_BYTES = 16 * 1024

/** A message of `ut_metadata` (BEP 9). */
export type MetadataMessage =
  | { type: 'request'; piece: number }
  | { type: 'data'; piece: number; bytes: Buffer }
  /** `has`, a bitfield: the pieces that the sender has. Only agents send it, and only while they lack pieces. */
  | { type: 'reject'; piece: number; has?: Uint8Array }

const REQUEST = 0
const DATA = 1
const REJECT = 2
/** Key of a reject. */
const HAS_KEY = 'murder_has'

export const encodeRequest = (piece: number): Buffer => encode({ msg_type: REQUEST, piece })

export const encodeReject = (piece: number, has?: Uint8Array): Buffer =>
  encode({ msg_type: REJECT, piece, ...(has ? { [HAS_KEY]: has } : {}) })

/** `size`: bytes of all metadata. */
export const encodeData = (piece: number, size: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([encode({ msg_type: DATA, piece, total_size: size }), bytes])

const encode = (content: Parameters<typeof bencode.encode>[0]) => Buffer.from(bencode.encode(content))

/** Numbers of the pieces in a bitfield. */
export function piecesOf(bits: Uint8Array): number[] {
  return [...bits].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (0x80 >> bit)).map((bit) => 8 * at + bit),
  )
}

/** Undefined for other or malformed messages. */
export function decodeMetadataMessage(content: Buffer): MetadataMessage | undefined {
  try {
    const end = endOfValue(content, 0)
    const head: Record<string, unknown> = Object(bencode.decode(content.subarray(0, end)))
    const { piece } = head
    if (typeof piece !== 'number' || !Number.isInteger(piece) || piece < 0) return undefined
    if (head.msg_type === REQUEST) return { type: 'request', piece }
    if (head.msg_type === DATA) return { type: 'data', piece, bytes: content.subarray(end) }
    if (head.msg_type !== REJECT) return undefined
    const has = head[HAS_KEY]
    return { type: 'reject', piece, ...(has instanceof Uint8Array ? { has } : {}) }
  } catch {
    return undefined
  }
}
