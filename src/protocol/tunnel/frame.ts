/**
 * A tunnel carries frames, each with a kind, the number of its stream and a payload. The server's side opens streams, and the
 * deploy host decides where they end.
 */
export const FRAMES = {
  /** From the server, first: the ports on its loopback that lead into the tunnel. */
  ready: 0,
  /** From the server: a new stream, to the target that the payload names. */
  open: 1,
  data: 2,
  /** The other side may send so many more bytes on this stream. */
  credit: 3,
  /** No more bytes come on this stream. */
  end: 4,
  /** This stream is over in both directions. */
  reset: 5,
  /** A sign of life; answered with another one. */
  alive: 6,
} as const

export type FrameKind = (typeof FRAMES)[keyof typeof FRAMES]

export interface Frame {
  kind: number
  stream: number
  payload: Buffer
}

const HEADER_BYTES = 9
/** Short, so that streams take turns. */
export const MAX_PAYLOAD_BYTES = 32 * 1024

export function encodeFrame(kind: FrameKind, stream = 0, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length)
  frame[0] = kind
  frame.writeUInt32BE(stream, 1)
  frame.writeUInt32BE(payload.length, 5)
  frame.set(payload, HEADER_BYTES)
  return frame
}

/** Cuts bytes into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Returns the frames that are complete now. Throws when one is too long. */
  *push(chunk: Buffer): Generator<Frame> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (bytes.length >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(5)
      if (length > MAX_PAYLOAD_BYTES) throw new Error('a frame of the tunnel is too long')
      const end = HEADER_BYTES + length
      if (bytes.length < end) break
      const frame = { kind: bytes[0] as number, stream: bytes.readUInt32BE(1) }
      const payload = bytes.subarray(HEADER_BYTES, end)
      bytes = bytes.subarray(end)
      yield { ...frame, payload }
    }
    this.#rest = bytes
  }
}
