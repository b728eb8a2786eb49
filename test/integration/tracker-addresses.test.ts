import { once } from 'node:events'
import { createServer, request } from 'node:http'
import bencode from 'bencode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ownAddresses } from '../../src/system/addresses.ts'
import { trackerPath } from '../../src/torrent/access/secret.ts'
import { announce } from '../../src/torrent/tracker/announce.ts'
import { startTracker, type Tracker } from '../../src/torrent/tracker/tracker-server.ts'

const infoHash = 'ab'.repeat(20)
let tracker: Tracker

beforeEach(async () => {
  tracker = await startTracker({ port: 0 })
})
afterEach(() => tracker.close())

let peers = 0
/** A request as a reverse proxy on this machine passes it on. */
const passOn = (port: number, forwardedFor: string) => {
  const query = `info_hash=${'%ab'.repeat(20)}&peer_id=${'%02'.repeat(18)}${port}&port=${port}&left=1`
  return get(`/announce?${query}`, { 'x-forwarded-for': forwardedFor })
}
const announceAt = async (host: string, port: number, address?: string) => {
  const peerId = String(++peers).padStart(40, '0')
  const ask = { infoHash, peerId, port, uploaded: 0, downloaded: 0, left: 1, want: 50 }
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${tracker.port}/announce`
  const answer = await announce(url, { ...ask, event: 'started', ...(address ? { address } : {}) })
  return answer.peers.filter((peer) => !peer.endsWith(`:${port}`)).sort()
}

function get(
  path: string,
  headers = {},
  host = '127.0.0.1',
  port = tracker.port,
): Promise<{ type: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ type: response.headers['content-type'], body: Buffer.concat(chunks) }),
      )
    })
    asking.on('error', reject).end()
  })
}

describe('the address of a peer', () => {
  it('is the one that it announces, else the one that the tracker sees', async () => {
    await announceAt('127.0.0.1', 1001, '10.9.8.7')
    await announceAt('127.0.0.1', 1002, 'fd00::7')
    await announceAt('127.0.0.1', 1003)
    expect(await announceAt('127.0.0.1', 1004)).toEqual(['10.9.8.7:1001', '127.0.0.1:1003', '[fd00::7]:1002'])
  })

  it('is not taken from malformed addresses, nor from a header', async () => {
    await announceAt('127.0.0.1', 1001, 'example.com')
    const query = `info_hash=${'%ab'.repeat(20)}&peer_id=${'%01'.repeat(20)}&port=1002&left=1`
    await get(`/announce?${query}`, { 'x-announced-address': '10.1.1.1' })
    expect(await announceAt('127.0.0.1', 1003)).toEqual(['127.0.0.1:1001', '127.0.0.1:1002'])
  })

  it('is the one that a proxy on this machine has seen', async () => {
    await passOn(11, '10.1.1.1, 10.9.9.9')
    await passOn(12, 'unknown')
    expect(await announceAt('127.0.0.1', 1003)).toEqual(['10.9.9.9:11', '127.0.0.1:12'])
  })

  it.runIf(ownAddresses().length > 0)('is its own, where a proxy on this machine says nothing', async () => {
    const [own = ''] = ownAddresses()
    const proxy = createServer(({ url }, response) => {
      request({ host: '127.0.0.1', port: tracker.port, path: url }, (answer) => answer.pipe(response)).end()
    }).listen(0)
    await once(proxy, 'listening')
    const { port } = proxy.address() as { port: number }
    const ask = { infoHash, uploaded: 0, downloaded: 0, left: 1, want: 50 }
    const url = `http://${own}:${port}/announce`
    await announce(url, { ...ask, peerId: '31'.repeat(20), port: 31 })
    await announce(url, { ...ask, peerId: '32'.repeat(20), port: 32 })
    const { peers } = await announce(url, { ...ask, peerId: '33'.repeat(20), port: 33 })
    proxy.close()
    expect(peers.sort()).toEqual([`${own}:31`, `${own}:32`])
  })

  it.runIf(ownAddresses().length > 0)('is not what another machine says of a proxy', async () => {
    const [own = ''] = ownAddresses()
    const query = `info_hash=${'%ab'.repeat(20)}&peer_id=${'%03'.repeat(20)}&port=21&left=1`
    await get(`/announce?${query}`, { 'x-forwarded-for': '10.9.9.9' }, own)
    expect(await announceAt('127.0.0.1', 1003)).toEqual([`${own}:21`])
  })

  it.runIf(ownAddresses().length > 0)('is that in an answer that is not compact, too', async () => {
    const [own = ''] = ownAddresses()
    await announceAt('127.0.0.1', 1001)
    const query = `info_hash=${'%ab'.repeat(20)}&peer_id=${'%03'.repeat(20)}&port=21&left=1`
    const { body } = await get(`/announce?${query}`, {}, own)
    const { peers } = bencode.decode(body) as { peers: { ip: Uint8Array; port: number }[] }
    const listed = peers.map(({ ip, port }) => `${Buffer.from(ip)}:${port}`)
    expect(listed).toContain(`${own}:1001`)
    expect(listed.filter((address) => address.startsWith('127.'))).toEqual([])
  })

  it.runIf(ownAddresses().length > 0)(
    'is that at which the tracker was reached, if the peer runs beside it',
    async () => {
      const [own = ''] = ownAddresses()
      await announceAt('127.0.0.1', 1001)
      expect(await announceAt(own, 1002)).toEqual([`${own}:1001`])
      expect(await announceAt('127.0.0.1', 1003)).toEqual(['127.0.0.1:1001', `${own}:1002`].sort())
    },
  )
})

describe('a tracker of a fleet', () => {
  const secret = 'of this test'
  let fleets: Tracker
  beforeEach(async () => {
    const permits = [{ secret, infoHash, addresses: ['127.0.0.1', '10.1.0.0/16'] }]
    fleets = await startTracker({ port: 0, host: '127.0.0.1', permits: () => permits })
  })
  afterEach(() => fleets.close())

  // A server whose connections come through SSH is seen on loopback, as a proxy is.
  const asServer = async (more: string, headers = {}) => {
    const query = `info_hash=${'%ab'.repeat(20)}&peer_id=${'%04'.repeat(20)}&port=41&left=1${more}`
    const path = `/${trackerPath(secret)}/announce?${query}`
    const { body } = await get(path, headers, '127.0.0.1', fleets.port)
    return Buffer.from(body).toString('latin1')
  }

  it.each([
    ['in an announce', '&ip=192.0.2.9', {}],
    ['after a thousand other words', `${'&a'.repeat(1000)}&ip=192.0.2.9`, {}],
    ['before one of the fleet', '&ip=192.0.2.9&ip=10.1.2.3', {}],
    ['in a header', '', { 'x-forwarded-for': '192.0.2.9' }],
    ['in a header, after one of the fleet', '', { 'x-forwarded-for': '10.1.2.3, 192.0.2.9' }],
  ])('tells nobody of an address that is not of the fleet, %s', async (_, more, headers) => {
    expect(await asServer(more, headers)).toContain('not one of this fleet')
    const ask = { infoHash, peerId: '99'.repeat(20), port: 99, uploaded: 0, downloaded: 0, left: 1, want: 50 }
    const answer = await announce(`http://127.0.0.1:${fleets.port}/${trackerPath(secret)}/announce`, ask)
    expect(answer.peers).toEqual([])
  })

  it('tells of one that is', async () => {
    expect(await asServer('&ip=10.1.2.3')).toContain('5:peers')
    expect(await asServer('', { 'x-forwarded-for': '10.1.2.4' })).toContain('5:peers')
    expect(await asServer('')).toContain('5:peers')
  })
})

it('tells its numbers to people, and as JSON', async () => {
  await announceAt('127.0.0.1', 1001)
  const page = await get('/stats')
  expect(page.type).toBe('text/html')
  expect(page.body.toString()).toContain('<h1>1 torrents (1 active)</h1>')
  for (const answer of [await get('/stats.json'), await get('/stats', { accept: 'application/json' })]) {
    expect(answer.type).toBe('application/json')
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      torrents: 1,
      peersAll: 1,
      peersLeecherOnly: 1,
    })
  }
})

it('answers scrapes', async () => {
  await announceAt('127.0.0.1', 1001)
  const { body } = await get(`/scrape?info_hash=${'%ab'.repeat(20)}`)
  const { files } = bencode.decode(body) as { files: Record<string, unknown> }
  expect(Object.values(files)).toEqual([expect.objectContaining({ complete: 0, incomplete: 1 })])
})
