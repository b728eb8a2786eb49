import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import {
  connectScript,
  listenScript,
  parseReached,
  type Target,
} from '../../../../src/deploy/scripts/probe-script.ts'
import { listen as listenAsPeer } from '../../../../src/torrent/peers/listen.ts'
import { answerHandshake } from '../../../../src/torrent/wire/answer-handshake.ts'

const setNode = `node='${process.execPath}'`

const program = (script: string) => {
  const child = spawn('sh', ['-c', script])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(onSocket).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A firewall that reads along: nothing that has the text comes through any more. */
const filter = (port: number) =>
  listen((socket) => {
    const behind = connect(port, '127.0.0.1')
    socket
      .on('data', (data) => data.includes('BitTorrent protocol') || behind.write(data))
      .on('error', () => {})
    behind.on('data', (data) => socket.write(data)).on('error', () => {})
    onTestFinished(() => void [socket, behind].map((each) => each.destroy()))
  })

test('a peer is reached only when it answers a handshake', async () => {
  const listener = program(listenScript(setNode, [0, 0]))
  const [said] = await once(listener.stdout, 'data')
  const port = Number(/port=(\d+)/.exec(String(said))?.[1])
  const here = await listenAsPeer([0, 0], answerHandshake)
  onTestFinished(() => void here.close())
  const unused = await listen(() => {})
  const targets: Target[] = [
    ['127.0.0.1', port, true],
    ['127.0.0.1', port, false],
    ['127.0.0.1', await filter(port), true],
    ['127.0.0.1', await listen((socket) => socket.destroy()), true],
    ['127.0.0.1', 1, true],
    ['127.0.0.1', unused, false],
    ['127.0.0.1', (here.address() as AddressInfo).port, true],
  ]
  const connector = program(connectScript(setNode))
  connector.stdin.end(JSON.stringify(targets))
  const reached = parseReached(await text(connector.stdout))
  expect(targets.map((target) => reached.get(JSON.stringify(target)))).toEqual([
    'reached',
    'reached',
    'mute',
    'mute',
    'refused',
    'reached',
    'reached',
  ])
}, 30_000)
