import type { Socket } from 'node:net'

const CHUNK_BYTES = 64 * 1024
const MAX_FREE_CHUNKS = 64

/** Memory for bytes on their way to sockets. It is reused as soon as the system has the bytes. */
class SendPool {
  readonly #free: SendChunk[] = []

  take(): SendChunk {
    return this.#free.pop() ?? new SendChunk(this)
  }

  giveBack(chunk: SendChunk): void {
    if (this.#free.length < MAX_FREE_CHUNKS) this.#free.push(chunk)
  }
}

/** A piece of the pool's memory. */
export class SendChunk {
  readonly bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  /** Bytes in use. */
  length = 0
  readonly #pool: SendPool

  constructor(pool: SendPool) {
    this.#pool = pool
  }

  get room(): number {
    return CHUNK_BYTES - this.length
  }

  /** Copies `bytes` from `from` on, as many as there is room for. Returns how many those were. */
  add(bytes: Uint8Array, from: number): number {
    const part = bytes.subarray(from, from + this.room)
    this.bytes.set(part, this.length)
    this.length += part.length
    return part.length
  }

  writeTo(socket: Socket): void {
    socket.write(this.bytes.subarray(0, this.length), this.drop)
  }

  /** Node also calls this when the socket has failed. Then it does not read the bytes any more. */
  readonly drop = (): void => {
    this.length = 0
    this.#pool.giveBack(this)
  }
}

/** One pool for the whole process, because connections come and go, and their memory serves the next one. */
export const sendPool = new SendPool()
