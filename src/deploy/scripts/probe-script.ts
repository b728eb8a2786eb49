import { SAID_ALL } from '../../fleet/persistent-shell-script.ts'
import { command } from '../../text/shell-quote.ts'

/** Program for `node -e`: listens on the first free port of a range until its input ends. */
const LISTENER = `
const [first, last] = process.argv.slice(1).map(Number)
let port = first
const server = require('net').createServer((socket) => socket.destroy())
server.on('error', (error) => {
  if (error.code === 'EADDRINUSE' && port < last) return server.listen(++port)
  console.log('error=' + error.code)
  process.exit(0)
})
server.on('listening', () => console.log('port=' + server.address().port + '\\n${SAID_ALL}'))
server.listen(port)
process.stdin.on('end', () => process.exit(0)).resume()
`

/** Program for `node -e`: connects to each `[host, port]` of a JSON array on its input, and says whether that worked. */
const CONNECTOR = `
let text = ''
process.stdin.on('data', (chunk) => { text += chunk }).on('end', () => {
  for (const [host, port] of JSON.parse(text)) {
    const socket = require('net').connect({ host, port, timeout: 4000 })
    const done = (word) => { socket.destroy(); console.log(word + '=' + JSON.stringify([host, port])) }
    socket.on('connect', () => done('reached')).on('timeout', () => done('silent'))
    socket.on('error', (error) => done(error.code === 'ECONNREFUSED' ? 'refused' : 'failed'))
  }
})
`

export const listenScript = (node: string, [first, last]: readonly [number, number]) =>
  `exec ${command(node, '-e', LISTENER, String(first), String(last))}`

export const connectScript = (node: string) => `exec ${command(node, '-e', CONNECTOR)}`

export type Target = readonly [host: string, port: number]
export type Reached = 'reached' | 'silent' | 'refused' | 'failed'

/** What a connector said, by target as JSON. */
export function parseReached(output: string): Map<string, Reached> {
  return new Map(
    output.split('\n').flatMap((line) => {
      const [, word, target] = /^(reached|silent|refused|failed)=(\[.*\])$/.exec(line) ?? []
      return word && target ? [[target, word as Reached] as const] : []
    }),
  )
}
