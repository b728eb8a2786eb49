import { expect, it } from 'vitest'
import { SwarmPicture } from '../../../../src/agent/stats/swarm-picture.ts'
import type { Announced } from '../../../../src/torrent/tracker/tracker-server.ts'

function swarm(size = 0) {
  let nowMs = 1_000_000
  const picture = new SwarmPicture('data', size, () => nowMs)
  const say = (address: string, left: number, event: Announced['event'] = 'update', uploaded = 0) =>
    picture.take({ infoHash: 'ab'.repeat(20), address, event, left, uploaded })
  const pass = (seconds: number) => {
    nowMs += seconds * 1000
  }
  const seen = () => {
    const { run, servers, samples } = picture.recorder.picture
    return { run, samples, peers: Object.fromEntries(servers.map((server) => [server.server, server])) }
  }
  return { picture, say, pass, seen }
}

it('shows how far peers are, how fast, and what the seeders have sent', () => {
  const { say, pass, seen } = swarm()
  say('seeder:1', 0, 'started')
  say('a:1', 1000, 'started')
  pass(2)
  say('a:1', 600)
  expect(seen().peers).toMatchObject({ 'a:1': { lane: 'transfer', bytes: 400, rate: 200 } })
  expect(Object.keys(seen().peers)).toEqual(['a:1'])
  expect(seen().run).toMatchObject({
    size: 1000,
    outcome: 'running',
    step: '1 shares all of it',
    fastest: 200,
  })
  pass(1)
  say('a:1', 0, 'completed')
  say('seeder:1', 0, 'update', 1000)
  const { peers, run, samples } = seen()
  expect(peers['a:1']).toMatchObject({ lane: 'ready', bytes: 1000, rate: 0 })
  expect(peers['a:1']?.spans).toEqual([
    ['transfer', 0, 3],
    ['ready', 3],
  ])
  expect(run).toMatchObject({ outcome: 'done', seederSent: 1000, atS: 3 })
  expect(samples.at(-1)).toMatchObject({ done: 1, sent: 1000 })
  say('a:1', 0)
  expect(seen().peers['a:1']?.spans).toHaveLength(2)
})

it('leaves out the time in which nobody was waited for', () => {
  const { say, pass, seen } = swarm()
  say('a:1', 1000, 'started')
  pass(2)
  say('a:1', 0, 'completed')
  pass(3600)
  expect(seen().run.atS).toBe(2)
  say('b:1', 1000, 'started')
  pass(1)
  expect(seen().run).toMatchObject({ outcome: 'running', atS: 3 })
  expect(seen().peers['b:1']?.spans).toEqual([['transfer', 2]])
})

it('tells of peers that left or fell silent, until they are back', () => {
  const { say, pass, seen } = swarm(1000)
  say('a:1', 1000, 'started')
  say('b:1', 1000, 'started')
  pass(10)
  say('a:1', 750, 'stopped')
  expect(seen().peers['a:1']).toMatchObject({
    lane: 'failed',
    failure: { cause: 'left, with 25% of the content', cure: expect.stringContaining('started again') },
  })
  pass(60)
  expect(seen().peers['b:1']).toMatchObject({
    lane: 'failed',
    failure: { cause: 'no word for 70 s, with 0% of the content' },
  })
  expect(seen().run).toMatchObject({ outcome: 'done', step: 'nobody has all of it' })
  say('a:1', 700, 'started')
  const { peers, run } = seen()
  expect(peers['a:1']).toMatchObject({ lane: 'transfer', bytes: 300 })
  expect(peers['a:1']).not.toHaveProperty('failure')
  expect(run.outcome).toBe('running')
})

it('takes a client that does not say what is left, and no new peer when there are enough', () => {
  const { picture, say, seen } = swarm()
  say('a:1', Number.POSITIVE_INFINITY, 'started')
  picture.take({ infoHash: '', address: 'b:1', event: 'started', left: 5, uploaded: 0 }, true)
  expect(seen().peers).toMatchObject({ 'a:1': { lane: 'transfer', bytes: 0, rate: 0 } })
  expect(picture.peers).toBe(1)
  expect(seen().run.size).toBe(0)
})
