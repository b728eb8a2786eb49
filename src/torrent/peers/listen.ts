import { createServer, type Server, type Socket } from 'node:net'
import { isSystemError, MurderError } from '../../errors.ts'

/**
 * Hands on sockets that do not read yet. Listens on the first free port of the range, on IPv6 and IPv4 where both exist (Node sees
 * to that when no address is named, and looks none up). [0, 0] lets the system choose.
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
