import { type AddressInfo, connect, createServer } from 'node:net'
import { answerHandshake, PROBE_HANDSHAKE } from './answer-handshake.ts'

/** A machine that is very busy answers itself within this time. */
const TIMEOUT_MS = 5000
/** On a busy machine a timer can be due before an answer that has come is read. */
const GRACE_MS = 50

/**
 * Whether this machine lets a handshake through to itself. Firewalls exist that drop what says BitTorrent on loopback, too. True
 * where it cannot be tried.
 */
export function passesLoopback(timeoutMs = TIMEOUT_MS): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer({ pauseOnConnect: true }, (socket) => answerHandshake(socket))
    server
      .on('error', () => resolve(true))
      .listen(0, '127.0.0.1', () => {
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
        let isOpen = false
        const done = (passes: boolean) => {
          clearTimeout(timer)
          socket.destroy()
          server.close()
          resolve(passes)
        }
        const timer = setTimeout(() => setTimeout(() => done(!isOpen), GRACE_MS), timeoutMs)
        socket.on('connect', () => {
          isOpen = true
          socket.write(PROBE_HANDSHAKE)
        })
        socket.on('data', () => done(true)).on('error', () => done(!isOpen))
      })
  })
}
