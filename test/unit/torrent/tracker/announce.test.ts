import { createServer, type Server } from 'node:http'
import bencode from 'bencode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { announce } from '../../../../src/torrent/tracker/announce.ts'

const request = {
  infoHash: 'ab'.repeat(20),
  peerId: 'cd'.repeat(20),
  port: 1,
  uploaded: 0,
  downloaded: 0,
  left: 0,
  want: 1,
}
const good = bencode.encode({ interval: 30, peers: Buffer.alloc(0) })
let server: Server
let url: string
let asked: string[]
let answers: { status: number; body?: Uint8Array | string; location?: string }[]

beforeEach(async () => {
  asked = []
  answers = []
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const { status, body = '', location } = answers.shift() ?? { status: 200, body: good }
    response.writeHead(status, location === undefined ? {} : { location }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
})
afterEach(() => server.close())

describe('redirects', () => {
  it.each([301, 302, 303, 307, 308])('with status %i are followed', async (status) => {
    answers = [{ status, location: '/other?x=1' }]
    expect(await announce(`${url}/announce`, request)).toMatchObject({ interval: 30 })
    expect(asked.at(-1)).toBe('/other?x=1')
  })

  it('are followed five times', async () => {
    answers = Array(5).fill({ status: 302, location: '/again' })
    await announce(`${url}/announce`, request)
    answers = Array(6).fill({ status: 302, location: '/again' })
    await expect(announce(`${url}/announce`, request)).rejects.toThrow('redirects more than 5 times')
  })

  it.each(['file:///etc/passwd', 'udp://10.0.0.1:1/', 'http://'])('to %s are not', async (location) => {
    answers = [{ status: 302, location }]
    await expect(announce(`${url}/announce`, request)).rejects.toMatchObject({ code: 'TRACKER' })
    expect(asked).toHaveLength(1)
  })
})

it('tells the reason of a tracker that fails with a status of its own, else the status', async () => {
  answers = [
    { status: 400, body: bencode.encode({ 'failure reason': 'not registered' }) },
    { status: 503, body: '<p>' },
  ]
  await expect(announce(`${url}/announce`, request)).rejects.toThrow(/did not help: not registered$/)
  await expect(announce(`${url}/announce`, request)).rejects.toThrow(/it answers HTTP 503$/)
})

it.each([
  ['/announce', '/announce?info_hash='],
  ['/announce?', '/announce?info_hash='],
  ['/announce?key=1', '/announce?key=1&info_hash='],
  ['/announce?key=1&', '/announce?key=1&info_hash='],
])('asks %s with one question mark', async (path, start) => {
  await announce(url + path, request)
  expect(asked[0]?.startsWith(start)).toBe(true)
})
