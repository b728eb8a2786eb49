import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { tryAll } from '../../../../src/agent/receive/try-reach.ts'
import { listen } from '../../../../src/torrent/peers/listen.ts'
import { answerHandshake } from '../../../../src/torrent/wire/answer-handshake.ts'

test('a port that answers, one that is closed, and one that lets connections open and says nothing', async () => {
  const answering = await listen([0, 0], answerHandshake)
  const mute = createServer((socket) => void socket.on('error', () => {}).end()).listen(0)
  const closed = await listen([0, 0], () => {})
  const portOf = (server: typeof answering) => (server.address() as AddressInfo).port
  const gone = portOf(closed)
  await new Promise((resolve) => closed.close(resolve))
  const host = '127.0.0.1'
  const reach = [
    { host, port: portOf(answering), isPeer: true },
    { host, port: portOf(mute), isPeer: false },
    { host, port: portOf(mute), isPeer: true },
    { host, port: gone, isPeer: true },
  ]
  expect(await tryAll(reach)).toEqual(['reached', 'reached', 'mute', 'refused'])
  answering.close()
  mute.close()
})
