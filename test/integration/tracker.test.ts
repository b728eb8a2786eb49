import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { newSecret, withSecret } from '../../src/torrent/access/secret.ts'
import type { Permit } from '../../src/torrent/access/tracker-gate.ts'
import { announce } from '../../src/torrent/tracker/announce.ts'
import { startTracker, type Tracker } from '../../src/torrent/tracker/tracker-server.ts'

const infoHash = 'ab'.repeat(20)
const secret = newSecret()
let tracker: Tracker
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await tracker.close()
})

const start = async (permits?: () => Permit[]) => {
  tracker = await startTracker({ port: 0, host: '127.0.0.1', ...(permits ? { permits } : {}) })
}

const ask = (port: number, hash = infoHash, url = `http://127.0.0.1:${tracker.port}/{secret}/announce`) =>
  announce(withSecret(url, secret), {
    ...{ infoHash: hash, peerId: port.toString(16).padStart(40, '0'), port },
    ...{ uploaded: 0, downloaded: 0, left: 1, event: 'started', want: 50 },
  })

function open(): Socket {
  const socket = connect(tracker.port, '127.0.0.1')
  socket.on('error', () => {})
  sockets.push(socket)
  return socket
}

it('takes the first free port after one that is taken', async () => {
  await start()
  const first = tracker
  try {
    await expect(startTracker({ port: first.port, host: '127.0.0.1' })).rejects.toThrow(/is taken/)
    tracker = await startTracker({ port: first.port, lastPort: first.port + 20, host: '127.0.0.1' })
    expect(tracker.port).toBeGreaterThan(first.port)
  } finally {
    await first.close()
  }
})

it('tells agents that name their sites of their own site, and whom else to connect to', async () => {
  await start()
  const url = `http://127.0.0.1:${tracker.port}/announce`
  const from = (port: number, site: string, event: 'started' | 'stopped' = 'started') =>
    announce(url, {
      ...{ infoHash, peerId: port.toString(16).padStart(40, '0'), port, site, event },
      ...{ uploaded: 0, downloaded: 0, left: 1, want: 50 },
    })
  expect((await from(1001, 'paris')).guidance).toEqual({ rank: 0, partners: [] })
  expect((await from(1002, 'tōkyō & co')).guidance).toEqual({ rank: 0, partners: ['127.0.0.1:1001'] })
  const second = await from(1003, 'paris')
  expect(second.peers).toEqual(['127.0.0.1:1001'])
  expect(second.guidance?.rank).toBe(1)
  expect(second.guidance?.partners.sort()).toEqual(['127.0.0.1:1001', '127.0.0.1:1002'])
  await from(1001, 'paris', 'stopped')
  expect((await from(1004, 'paris')).guidance?.rank).toBe(0)
  const other = await ask(1005, infoHash, url)
  expect(other.guidance).toBeUndefined()
  expect(other.peers).toHaveLength(3)
})

it('tells Prometheus how many peers each torrent has', async () => {
  await start()
  const url = `http://127.0.0.1:${tracker.port}/announce`
  await ask(1001, infoHash, url)
  await ask(1002, infoHash, url)
  const answer = await fetch(`http://127.0.0.1:${tracker.port}/metrics`)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  expect(text).toContain(`\nmurder_tracker_peers{info_hash="${infoHash}",state="incomplete"} 2\n`)
  expect(text).toContain('\nmurder_tracker_announces_total 2\n')
})

describe('a tracker with permits', () => {
  it('brings together peers that know the secret, and answers no others', async () => {
    await start(() => [{ secret, infoHash, addresses: ['127.0.0.1'] }])
    await ask(1001)
    expect((await ask(1002)).peers).toContain('127.0.0.1:1001')
    for (const path of ['/announce', '/stats', '/stats.json', '/metrics', '/scrape', `/${secret}/announce`]) {
      const answer = await fetch(`http://127.0.0.1:${tracker.port}${path}`)
      expect([answer.status, await answer.text()], path).toEqual([404, ''])
    }
  })

  it('refuses other torrents and other addresses, and heeds a change at once', async () => {
    let permits: Permit[] = [{ secret, infoHash, addresses: ['127.0.0.2'] }]
    await start(() => permits)
    await expect(ask(1001)).rejects.toThrow('127.0.0.1 is not an address of this fleet')
    permits = [{ secret, infoHash }]
    await ask(1001)
    await expect(ask(1001, 'cd'.repeat(20))).rejects.toThrow('does not serve that torrent')
    permits = []
    await expect(ask(1001)).rejects.toThrow('404')
  })

  it('never says its key', async () => {
    await start(() => [])
    const error = await ask(1001).catch((thrown: Error) => thrown)
    expect(String(error)).not.toContain(withSecret('{secret}', secret))
  })
})

describe('a tracker under attack', () => {
  it('ends requests that take for ever', async () => {
    await start()
    const slow = open()
    slow.write('GET /announce?')
    const timer = setInterval(() => slow.write('x'), 500)
    await once(slow.resume(), 'close')
    clearInterval(timer)
  })

  it('answers in a flood of connections that say nothing', async () => {
    await start(() => [{ secret, infoHash }])
    let closed = 0
    const flood = Array.from({ length: 1500 }, open)
    for (const socket of flood) socket.resume().once('close', () => closed++)
    await ask(1001)
    expect((await ask(1002)).peers).toContain('127.0.0.1:1001')
    await expect.poll(() => closed, { timeout: 20_000 }).toBeGreaterThan(900)
  })

  it('knows a bounded number of torrents', async () => {
    await start()
    const url = `http://127.0.0.1:${tracker.port}/announce`
    const hash = (n: number) => n.toString(16).padStart(40, '0')
    const answers = await Promise.all(
      Array.from({ length: 1100 }, (_, n) =>
        ask(1001, hash(n), url).then(
          () => 1,
          () => 0,
        ),
      ),
    )
    expect(answers.filter(Boolean).length).toBeLessThanOrEqual(1000)
    await expect(ask(1001, hash(5000), url)).rejects.toThrow('too many torrents')
  })
})
