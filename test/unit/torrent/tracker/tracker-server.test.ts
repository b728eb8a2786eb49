import { get } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { announce } from '../../../../src/torrent/tracker/announce.ts'
import { startTracker } from '../../../../src/torrent/tracker/tracker-server.ts'

const request = {
  infoHash: 'ab'.repeat(20),
  peerId: 'cd'.repeat(20),
  port: 1,
  uploaded: 0,
  downloaded: 0,
  left: 1,
  want: 1,
}

async function tracker() {
  const { port, close } = await startTracker({ port: 0, host: '127.0.0.1' })
  onTestFinished(close)
  return `http://127.0.0.1:${port}/announce`
}

it('tells those who ask where they are, and nobody else', async () => {
  const url = await tracker()
  expect(await announce(url, { ...request, locate: true })).toMatchObject({ place: '~1', swarm: 1 })
  expect((await announce(url, request)).place).toBeUndefined()
})

it('looks for nobody at an address that is not of who asks', async () => {
  const url = await tracker()
  const answer = await announce(url, { ...request, locate: true, address: '192.0.2.1' })
  expect(answer.place).toBeUndefined()
})

it('answers that are lists have a place, too', async () => {
  const url = await tracker()
  const ids = ['info_hash', 'peer_id'].map((name) => `${name}=${'%ab'.repeat(20)}`).join('&')
  const body = await new Promise<Buffer>((resolve, reject) => {
    get(`${url}?${ids}&port=1&uploaded=0&downloaded=0&left=1&compact=0&locate=1`, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve(Buffer.concat(chunks)))
    }).on('error', reject)
  })
  expect(body.toString('latin1')).toContain('12:murder_place2:~1')
})

it('tells nobody of itself, and of as many others as it wants', async () => {
  const url = await tracker()
  const started = (peerId: string, port: number) =>
    announce(url, { ...request, peerId, port, event: 'started' })
  expect(await started('01'.repeat(20), 11)).toMatchObject({ peers: [] })
  expect(await started('02'.repeat(20), 12)).toMatchObject({ peers: ['127.0.0.1:11'] })
  expect(await started('01'.repeat(20), 11)).toMatchObject({ peers: ['127.0.0.1:12'] })
})

it('knows a client that was killed and started again as the new one', async () => {
  const url = await tracker()
  const started = (peerId: string, port: number, left: number) =>
    announce(url, { ...request, peerId, port, left, event: 'started' })
  await started('01'.repeat(20), 11, 0)
  expect(await started('02'.repeat(20), 11, 1)).toMatchObject({ peers: [] })
  const metrics = await (await fetch(new URL('/metrics', url))).text()
  expect(metrics).toMatch(/^murder_tracker_peers\{.*state="complete"\} 0$/m)
  expect(metrics).toMatch(/^murder_tracker_peers\{.*state="incomplete"\} 1$/m)
  expect(await started('03'.repeat(20), 12, 1)).toMatchObject({ peers: ['127.0.0.1:11'] })
})
