import bencode from 'bencode'
import { expect, it, onTestFinished } from 'vitest'
import { withBinary } from '../../../../src/torrent/tracker/binary-answers.ts'
import { startTracker } from '../../../../src/torrent/tracker/tracker-server.ts'

const percent = (bytes: Buffer) => bytes.toString('hex').replace(/../g, '%$&')
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

it('gives infohashes and peer ids as their bytes', async () => {
  const tracker = await startTracker({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => tracker.close())
  const get = async (path: string) =>
    latin1(new Uint8Array(await (await fetch(`http://127.0.0.1:${tracker.port}${path}`)).arrayBuffer()))
  const infoHash = Buffer.from('00ff80e7c3a90a7fabcdef0123456789fedcba98', 'hex')
  const lower = Buffer.from('00fe80e7c3a90a7fabcdef0123456789fedcba98', 'hex')
  const peerId = Buffer.from('2d5858303030312d80ff0102030405060708090a', 'hex')

  const ask = (id: Buffer) =>
    get(`/announce?info_hash=${percent(infoHash)}&peer_id=${percent(id)}&port=50${id[0]}&left=0&compact=0`)
  await ask(peerId)
  expect(await ask(Buffer.alloc(20, 1))).toContain(`7:peer id20:${latin1(peerId)}4:port`)

  const counts = (complete: number) => `d8:completei${complete}e10:downloadedi${complete}e10:incompletei0ee`
  const scrape = await get(`/scrape?info_hash=${percent(infoHash)}&info_hash=${percent(lower)}`)
  const files = `20:${latin1(lower)}${counts(0)}20:${latin1(infoHash)}${counts(2)}`
  expect(scrape).toBe(`d5:filesd${files}e5:flagsd20:min_request_intervali20eee`)
})

it.each([
  ['a compact answer', bencode.encode({ interval: 20, peers: Buffer.from('7f0000011388', 'hex') })],
  ['a refusal', bencode.encode({ 'failure reason': 'no' })],
  ['a page', Buffer.from('<h1>')],
  ['a list of peers with ids of ASCII', bencode.encode({ peers: [{ 'peer id': 'A'.repeat(20), port: 1 }] })],
])('%s stays as it is', (_, body) => {
  expect(latin1(withBinary(body))).toBe(latin1(body))
})
