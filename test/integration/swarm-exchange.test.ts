import { afterEach, describe, expect, it } from 'vitest'
import type { Participant } from '../../src/torrent/participant.ts'
import { Swarm } from '../support/harness/swarm-harness.ts'

const MIB = 1024 * 1024
let swarm: Swarm
afterEach(() => swarm.end())

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
