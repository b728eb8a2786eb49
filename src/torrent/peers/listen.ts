import { createServer, type Server, type Socket } from 'node:net'
import { isSystemError, MurderError } from '../../errors.ts'

/**
 * Listens on the first free port of a range; [0, 0] lets the system choose. Listens on IPv6 and IPv4 where both exist, which is
 * Node's default. `onSocket` gets sockets that do not read yet.
 */
export async function listen(
  [first, last]: [number, number],
  onSocket: (socket: Socket) => void,
): Promise<Server> {
  for (let port = first; port <= last; port++) {
    try {
      return await listenOn(port, onSocket)
    } catch (error) {
      if (!isSystemError(error, 'EADDRINUSE', 'EACCES')) throw error
    }
  }
  throw new MurderError('NO_PORT', `No port from ${first} to ${last} is free for the peer`, {
    cure: 'choose another range of ports',
  })
}

function listenOn(port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ pauseOnConnect: true }, onSocket)
    server.once('error', reject)
    server.listen(port, () => {
      server.off('error', reject)
      // A single failed accept (out of descriptors) must not end the process.
      server.on('error', () => {})
      resolve(server)
    })
  })
}
