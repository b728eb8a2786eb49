import { Duplex } from 'node:stream'
import { encodeFrame, FRAMES, type FrameKind, MAX_PAYLOAD_BYTES } from './frame.ts'

/** Bytes that may be in flight on one stream: enough for a fast link, and a bound on memory. */
export const WINDOW_BYTES = 512 * 1024

export interface TunnelLink {
  send(frame: Buffer): void
  /** The stream is over. */
  forget(id: number): void
}

/** One connection inside a tunnel. It sends only as much as the other side has room for. */
export class TunnelStream extends Duplex {
  readonly #id: number
  readonly #link: TunnelLink
  /** How many bytes we may send, and how many the other side may. */
  #credit = WINDOW_BYTES
  #allowance = WINDOW_BYTES
  /** Received, and not yet taken by the reader. */
  #held = 0
  #pending: { chunk: Buffer; sent: () => void } | undefined
  #isReset = false

  constructor(id: number, link: TunnelLink) {
    super({ readableHighWaterMark: MAX_PAYLOAD_BYTES })
    this.#id = id
    this.#link = link
  }

  /** Throws when more came than was allowed. */
  takeData(payload: Buffer): void {
    this.#allowance -= payload.length
    if (this.#allowance < 0) throw new Error('a stream of the tunnel sends more than it may')
    if (this.destroyed) return
    this.#held += payload.length
    if (this.push(payload)) this.#giveCredit()
  }

  takeCredit(payload: Buffer): void {
    if (payload.length !== 4) throw new Error('the tunnel gives no sensible credit')
    this.#credit = Math.min(WINDOW_BYTES, this.#credit + payload.readUInt32BE(0))
    this.#pump()
  }

  takeEnd(): void {
    this.push(null)
  }

  takeReset(): void {
    this.#isReset = true
    this.destroy()
  }

  override _read(): void {
    this.#giveCredit()
  }

  override _write(chunk: Buffer, _: BufferEncoding, sent: () => void): void {
    this.#pending = { chunk, sent }
    this.#pump()
  }

  override _final(done: () => void): void {
    this.#send(FRAMES.end)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isWhole = this.readableEnded && this.writableFinished
    if (!this.#isReset && !isWhole) this.#send(FRAMES.reset)
    this.#link.forget(this.#id)
    done(error)
  }

  #pump(): void {
    while (this.#pending && this.#credit > 0) {
      const { chunk, sent } = this.#pending
      const part = chunk.subarray(0, Math.min(this.#credit, MAX_PAYLOAD_BYTES))
      const rest = chunk.subarray(part.length)
      this.#credit -= part.length
      this.#pending = rest.length > 0 ? { chunk: rest, sent } : undefined
      this.#send(FRAMES.data, part)
      if (!this.#pending) sent()
    }
  }

  #giveCredit(): void {
    if (this.#held === 0) return
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(this.#held)
    this.#allowance += this.#held
    this.#held = 0
    this.#send(FRAMES.credit, payload)
  }

  #send(kind: FrameKind, payload?: Buffer): void {
    this.#link.send(encodeFrame(kind, this.#id, payload))
  }
}
