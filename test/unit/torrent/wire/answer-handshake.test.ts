import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../../../src/torrent/peers/listen.ts'
import { answerHandshake, PROBE_HANDSHAKE } from '../../../../src/torrent/wire/answer-handshake.ts'

const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

test('a silent connection keeps no process alive, and is answered all the same once it speaks', async () => {
  const server = await listen([0, 0], answerHandshake)
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => void [server.close(), client.destroy()])
  await Promise.all([once(client, 'connect'), once(server, 'connection')])
  client.unref()
  const open = sockets()
  client.ref()
  expect(open).toBe(0)
  client.write(PROBE_HANDSHAKE)
  expect((await once(client, 'data'))[0]).toEqual(PROBE_HANDSHAKE)
})
