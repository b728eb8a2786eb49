import { connect } from 'node:net'
import type { Reached, ReachQuestion } from '../../protocol/reach.ts'
import { encodeHandshake } from '../../torrent/wire/messages.ts'

/** The deploy waits for it where nothing answers. One that is only slow, or has lost a packet, loses little by the way through SSH. */
const TIMEOUT_MS = 700
/** Of a torrent that nobody has. */
const HANDSHAKE = encodeHandshake('00'.repeat(20), '00'.repeat(20))

/** Tries to reach each of them, all at once. */
export const tryAll = ({ reach }: ReachQuestion): Promise<Reached[]> => Promise.all(reach.map(tryOne))

/** A peer must answer a handshake: firewalls exist that let connections through and drop what says BitTorrent. */
function tryOne({ host, port, isPeer }: ReachQuestion['reach'][number]): Promise<Reached> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let isOpen = false
    const done = (word: Reached) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(word)
    }
    const timer = setTimeout(() => done(isOpen ? 'mute' : 'silent'), TIMEOUT_MS)
    socket.on('connect', () => {
      isOpen = true
      if (isPeer) socket.write(HANDSHAKE)
      else done('reached')
    })
    socket.on('data', () => done('reached')).on('end', () => done('mute'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done(isOpen ? 'mute' : error.code === 'ECONNREFUSED' ? 'refused' : 'failed'),
    )
  })
}
