import { SAID_ALL } from '../../fleet/persistent-shell-script.ts'
import type { Reached } from '../../protocol/reach.ts'
import { PROBE_HANDSHAKE } from '../../torrent/wire/answer-handshake.ts'
import { nodeScript } from './node/node-script.ts'

/**
 * Program for `node -e`: listens on the first free port of a range until its input ends, and answers a handshake with a
 * handshake. A silent connection ends after a while.
 */
const LISTENER = `
const [first, last] = process.argv.slice(1, 3).map(Number)
const handshake = Buffer.from(process.argv[3], 'hex')
let port = first
const server = require('net').createServer((socket) => {
  socket.on('error', () => {}).setTimeout(20000, () => socket.destroy())
  socket.once('data', () => socket.end(handshake))
})
server.on('error', (error) => {
  if (error.code === 'EADDRINUSE' && port < last) return server.listen(++port)
  console.log('error=' + error.code)
  process.exit(0)
})
server.on('listening', () => console.log('port=' + server.address().port + '\\n${SAID_ALL}'))
server.listen(port)
process.stdin.on('end', () => process.exit(0)).resume()
`

/**
 * Program for `node -e`: connects to each `[host, port, isPeer]` of a JSON array on its input, and says whether that worked. A peer
 * must also answer a handshake: firewalls exist that let connections through and then drop the packets that say BitTorrent.
 */
const CONNECTOR = `
let text = ''
const handshake = Buffer.from(process.argv[1], 'hex')
process.stdin.on('data', (chunk) => { text += chunk }).on('end', () => {
  for (const target of JSON.parse(text)) {
    const [host, port, isPeer] = target
    const socket = require('net').connect({ host, port, timeout: 4000 })
    let said
    let isOpen = false
    const done = (word) => {
      socket.destroy()
      if (said === undefined) console.log((said = word) + '=' + JSON.stringify(target))
    }
    socket.on('connect', () => {
      isOpen = true
      socket.setTimeout(10000) // A program answers a handshake, but on a busy machine not at once.
      isPeer ? socket.write(handshake) : done('reached')
    })
    socket.on('data', () => done('reached'))
    socket.on('timeout', () => done(isOpen ? 'mute' : 'silent')).on('end', () => done('mute'))
    socket.on('error', (error) => done(isOpen ? 'mute' : error.code === 'ECONNREFUSED' ? 'refused' : 'failed'))
  }
})
`

const handshake = PROBE_HANDSHAKE.toString('hex')

/** `setNode`: sets `node`, as in the others below. */
export const listenScript = (setNode: string, [first, last]: readonly [number, number]) =>
  nodeScript(setNode, '-e', LISTENER, String(first), String(last), handshake)

export const connectScript = (setNode: string) => nodeScript(setNode, '-e', CONNECTOR, handshake)

/** `isPeer`: whether it must answer a handshake. */
export type Target = readonly [host: string, port: number, isPeer: boolean]

/** The connector's answers, by target as JSON. */
export function parseReached(output: string): Map<string, Reached> {
  return new Map(
    output.split('\n').flatMap((line) => {
      const [, word, target] = /^(reached|silent|refused|failed|mute)=(\[.*\])$/.exec(line) ?? []
      return word && target ? [[target, word as Reached] as const] : []
    }),
  )
}
