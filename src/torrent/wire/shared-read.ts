import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'

/** Limit of one read: two of the largest blocks. */
const READ_BYTES = 256 * 1024
const memory = Buffer.allocUnsafeSlow(READ_BYTES)

/**
 * The option `onread` for a socket that is to be opened. All such sockets read into the same memory, one after the
 * other, so that no read makes garbage (5 % of a peer's CPU time on a slow link, 15 % on a fast one). `take` must use or
 * copy the bytes before it returns.
 */
export function sharedRead(take: (bytes: Buffer) => void): OnReadOpts {
  return {
    buffer: memory,
    callback(length) {
      take(memory.subarray(0, length))
      return true
    },
  }
}

/**
 * The same for a socket that a server has accepted with `pauseOnConnect`. Node has no such option for these, so a new socket
 * takes over the handle. If a version of Node hides the handle, its own socket is used, and the bytes come as 'data'.
 */
export function readShared(accepted: Socket, take: (bytes: Buffer) => void): Socket {
  const owner = accepted as unknown as { _handle: object | null | undefined }
  const handle = owner._handle
  if (!handle) {
    accepted.resume()
    return accepted
  }
  owner._handle = null
  return new Socket({ handle, onread: sharedRead(take) } as SocketConstructorOpts)
}
