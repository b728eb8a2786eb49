import type { Socket } from 'node:net'
import { PROBE_HANDSHAKE } from '../scripts/probe-script.ts'

/** A connection that says nothing ends after this time. */
const SILENCE_MS = 20_000

/** As a peer does it, so that a firewall that reads along sees what it will see in a deploy. The socket need not read yet. */
export function answerHandshake(socket: Socket): void {
  socket.on('error', () => {}).setTimeout(SILENCE_MS, () => socket.destroy())
  socket.once('data', () => socket.end(PROBE_HANDSHAKE)).resume()
}
