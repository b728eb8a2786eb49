/**
 * Cuts a byte stream into messages: first the handshake of fixed length, then messages with a 4-byte length before them (BEP 3).
 * A message is valid only until `onMessage` returns. If it came in one chunk, it is passed on without a copy; otherwise it is
 * gathered in a buffer that the next message uses again. A length over the limit is an error, raised before any memory is
 * allocated.
 */
export class Framing {
  /** Bytes of the longest message that is accepted. May change between two messages. */
  longest: number
  #header = Buffer.alloc(4)
  #headerBytes = 0
  #body: Buffer | undefined
  #bodyBytes = 0
  /** Memory for bodies, as long as the longest one so far, and shared by all. */
  #bodyMemory = Buffer.alloc(0)
  #handshake: Buffer | undefined
  readonly #onHandshake: (bytes: Buffer) => void
  readonly #onMessage: (bytes: Buffer) => void

  constructor(o: {
    handshakeLength: number
    longest: number
    onHandshake: (bytes: Buffer) => void
    onMessage: (bytes: Buffer) => void
  }) {
    this.#handshake = Buffer.alloc(o.handshakeLength)
    this.longest = o.longest
    this.#onHandshake = o.onHandshake
    this.#onMessage = o.onMessage
  }

  /** Throws a RangeError when the other side announces a message over the limit. */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#handshake) at = this.#takeHandshake(this.#handshake, chunk, at)
      else if (this.#body) at = this.#takeBody(this.#body, chunk, at)
      else at = this.#takeHeader(chunk, at)
    }
  }

  #takeHandshake(handshake: Buffer, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + handshake.length - this.#bodyBytes)
    chunk.copy(handshake, this.#bodyBytes, at, end)
    this.#bodyBytes += end - at
    if (this.#bodyBytes === handshake.length) {
      this.#handshake = undefined
      this.#bodyBytes = 0
      this.#onHandshake(handshake)
    }
    return end
  }

  #takeHeader(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + 4 - this.#headerBytes)
    let length: number
    if (end === at + 4) {
      length = chunk.readUInt32BE(at)
    } else {
      chunk.copy(this.#header, this.#headerBytes, at, end)
      this.#headerBytes += end - at
      if (this.#headerBytes < 4) return end
      this.#headerBytes = 0
      length = this.#header.readUInt32BE(0)
    }
    if (length > this.longest) throw new RangeError(`message of ${length} bytes`)
    if (length === 0) return end
    if (end + length <= chunk.length) {
      this.#onMessage(chunk.subarray(end, end + length))
      return end + length
    }
    if (this.#bodyMemory.length < length) this.#bodyMemory = Buffer.allocUnsafeSlow(length)
    this.#body = this.#bodyMemory.subarray(0, length)
    this.#bodyBytes = 0
    return end
  }

  #takeBody(body: Buffer, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + body.length - this.#bodyBytes)
    chunk.copy(body, this.#bodyBytes, at, end)
    this.#bodyBytes += end - at
    if (this.#bodyBytes === body.length) {
      this.#body = undefined
      this.#onMessage(body)
    }
    return end
  }
}
