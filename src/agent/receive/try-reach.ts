import { connect } from 'node:net'
import type { Reached, ReachQuestion } from '../../protocol/reach.ts'
import { PROBE_HANDSHAKE } from '../../torrent/wire/answer-handshake.ts'

/**
 * The deploy waits this long where nothing answers. A connection that is slower, or whose first packet is lost, loses little by going
 * through SSH.
 */
const CONNECT_TIMEOUT_MS = 600
/** Time for a busy program to answer a handshake. */
const ANSWER_TIMEOUT_MS = 2500
/** On a busy machine a timer can be due before an answer that has come is read. */
const GRACE_MS = 50

/** Tries to reach each of them, all at once. */
export const tryAll = (reach: ReachQuestion['reach']): Promise<Reached[]> => Promise.all(reach.map(tryOne))

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
    const giveUp = () => {
      timer = setTimeout(() => done(isOpen ? 'mute' : 'silent'), GRACE_MS)
    }
    let timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS)
    socket.on('connect', () => {
      isOpen = true
      clearTimeout(timer)
      timer = setTimeout(giveUp, ANSWER_TIMEOUT_MS)
      if (isPeer) socket.write(PROBE_HANDSHAKE)
      else done('reached')
    })
    socket.on('data', () => done('reached')).on('end', () => done('mute'))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done(isOpen ? 'mute' : error.code === 'ECONNREFUSED' ? 'refused' : 'failed'),
    )
  })
}
