import { createHash } from 'node:crypto'
import { UNIT } from './scheduler/window.ts'

/** A piece under way: its bytes, and their SHA-1 as far as they have come without a gap. */
export class PieceBuffer {
  readonly bytes: Buffer
  /** Connections that sent any of it. */
  readonly senders = new Set<number>()
  private readonly here: Uint8Array
  private readonly hash = createHash('sha1')
  private hashed = 0

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length)
    this.here = new Uint8Array(Math.ceil(length / UNIT))
  }

  /** Hashing goes along with arrival, a block at a time, so that no long piece ever holds up the network. */
  write(offset: number, block: Uint8Array, sender: number): void {
    this.bytes.set(block, offset)
    this.senders.add(sender)
    this.here.fill(1, offset / UNIT, Math.ceil((offset + block.length) / UNIT))
    let end = this.hashed
    while (end < this.bytes.length && this.here[end / UNIT] === 1)
      end = Math.min(this.bytes.length, end + UNIT)
    if (end > this.hashed) this.hash.update(this.bytes.subarray(this.hashed, end))
    this.hashed = end
  }

  /** SHA-1 of the piece. Call once, when every block is here. */
  digest(): Buffer {
    return this.hash.digest()
  }
}
