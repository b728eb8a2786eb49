import type { Socket } from 'node:net'

const LENGTH = 64 * 1024
/** Most that are kept for later. */
const MOST_FREE = 64
const free: SendPool[] = []

/** Bytes on their way to a socket, in memory that is used again as soon as the system has them. */
export class SendPool {
  readonly bytes = Buffer.allocUnsafeSlow(LENGTH)
  /** Of `bytes`, how many are used. */
  length = 0

  get room(): number {
    return LENGTH - this.length
  }

  /** Copies as much as there is room for, from `from` on. Returns how much that was. */
  add(bytes: Uint8Array, from: number): number {
    const part = bytes.subarray(from, from + this.room)
    this.bytes.set(part, this.length)
    this.length += part.length
    return part.length
  }

  writeTo(socket: Socket): void {
    socket.write(this.bytes.subarray(0, this.length), this.#written)
  }

  /** Also when the socket has failed: it does not read them any more. */
  readonly #written = (): void => {
    this.length = 0
    if (free.length < MOST_FREE) free.push(this)
  }
}

export function takeMemory(): SendPool {
  return free.pop() ?? new SendPool()
}
