import { createServer, type Server, type Socket } from 'node:net'
import { isSystemError, MurderError } from '../errors.ts'

/** Hands on sockets that do not read yet. Listens on the first free port of the range, on IPv6 and IPv4 where both exist. [0, 0] lets the system choose. */
export async function listen(
  [first, last]: [number, number],
  onSocket: (socket: Socket) => void,
): Promise<Server> {
  for (let port = first; port <= last; port++) {
    for (const host of ['::', '0.0.0.0']) {
      try {
        return await listenOn(port, host, onSocket)
      } catch (error) {
        if (isSystemError(error, 'EADDRINUSE', 'EACCES')) break
        if (isSystemError(error, 'EAFNOSUPPORT', 'EADDRNOTAVAIL') && host === '::') continue
        throw error
      }
    }
  }
  throw new MurderError('NO_PORT', `No port from ${first} to ${last} is free for the peer`, {
    cure: 'choose another range of ports',
  })
}

function listenOn(port: number, host: string, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true }, onSocket)
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      // A single failed accept (out of descriptors) must not end the process.
      server.on('error', () => {})
      resolve(server)
    })
  })
}
