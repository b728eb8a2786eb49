import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import bencode from 'bencode'
import { afterEach, describe, expect, it } from 'vitest'
import type { Participant } from '../../src/torrent/participant.ts'
import { Swarm } from '../support/harness/swarm-harness.ts'

const MIB = 1024 * 1024
let swarm: Swarm
let tracker: Server | undefined
afterEach(async () => {
  await swarm.end()
  tracker?.close()
})

const linked = (participants: Participant[], peers: number) =>
  expect
    .poll(() => participants.map((each) => each.stats().peers), { timeout: 20_000 })
    .toEqual(participants.map(() => peers))

describe('without a tracker', () => {
  it('peers that know only the seeder find each other', async () => {
    swarm = await Swarm.of(6 * MIB)
    const seeder = await swarm.seeder({ uploadLimit: 4 * MIB })
    const peers = await Promise.all(['a', 'b', 'c'].map((name) => swarm.peer(name, [seeder])))
    await linked(peers, 3)
    await Promise.all(peers.map(({ complete }) => complete))
    expect(seeder.stats().sent).toBeLessThan(2 * swarm.metainfo.length)
  })

  it('sends no addresses in a private torrent of another maker', async () => {
    swarm = await Swarm.of(2 * MIB)
    const metainfo = { ...swarm.metainfo, private: true, createdBy: 'another program' }
    const seeder = await swarm.seeder({ metainfo })
    const peers = await Promise.all(['a', 'b'].map((name) => swarm.peer(name, [seeder], { metainfo })))
    await Promise.all(peers.map(({ complete }) => complete))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(peers.map((each) => each.stats().peers)).toEqual([1, 1])
  })

  it('a fleet finds together by its addresses without any exchange', async () => {
    swarm = await Swarm.of(2 * MIB)
    const metainfo = { ...swarm.metainfo, private: true, createdBy: 'another program' }
    const seeder = await swarm.seeder({ metainfo })
    const first = await swarm.peer('first', [seeder], { metainfo })
    const ports: [number, number] = [first.port, 65_535]
    const second = await swarm.peer('second', [], { metainfo, hosts: () => ['127.0.0.1'], ports })
    await second.complete
    expect(second.stats().peers).toBe(1)
  })
})

/** The address of a tracker that makes everybody a leader but at the site `led`, and names nobody. */
async function guidingTracker(): Promise<string> {
  tracker = createServer(({ url = '' }, response) => {
    const rank = url.includes('site=led') ? -1 : 0
    response.end(bencode.encode({ interval: 60, peers: Buffer.alloc(0), murder_rank: rank }))
  }).listen(0, '127.0.0.1')
  await once(tracker, 'listening')
  return `http://127.0.0.1:${(tracker.address() as AddressInfo).port}/announce`
}

describe('with a tracker that guides', () => {
  it('who leads no site keeps to it until nothing comes, and leaders do not hear of other sites from neighbours', async () => {
    swarm = await Swarm.of(2 * MIB)
    const trackers = [await guidingTracker()]
    const at = (name: string) => ({ fleet: 40, trackers, site: { name } })
    const seeder = await swarm.seeder(at('paris'))
    const leaders = await Promise.all(['paris', 'tokyo'].map((name) => swarm.peer(name, [seeder], at(name))))
    await Promise.all(leaders.map(({ complete }) => complete))
    const led = await swarm.peer('led', [seeder], at('led'))
    await new Promise((resolve) => setTimeout(resolve, 2000))
    expect(led.stats().bytes).toBe(0)
    expect(leaders.map((each) => each.stats().peers)).toEqual([1, 1])
    await led.complete
  })
})
