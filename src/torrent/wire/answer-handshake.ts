import type { Socket } from 'node:net'
import { encodeHandshake } from './messages.ts'

/** The first bytes of any BitTorrent connection, of a torrent that nobody has. */
export const PROBE_HANDSHAKE = encodeHandshake('00'.repeat(20), '00'.repeat(20))

/** A connection that says nothing ends after this time. */
const SILENCE_MS = 20_000

/**
 * Answers like a peer, so that an inspecting firewall sees the same as in a deploy. The socket need not be read yet. `heard` is
 * called when anything has come. No process waits for a connection whose handshake, or end, such a firewall has dropped.
 */
export function answerHandshake(socket: Socket, heard?: () => void): void {
  socket.unref()
  socket.on('error', () => {}).setTimeout(SILENCE_MS, () => socket.destroy())
  socket.once('data', () => {
    heard?.()
    socket.end(PROBE_HANDSHAKE)
  })
  socket.resume()
}
