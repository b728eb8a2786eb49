import { afterEach, describe, expect, it } from 'vitest'
import { type ClientName, Interop } from '../support/harness/lab-interop.ts'
import type { LabHost } from '../support/lab/host.ts'
import { labAvailable } from '../support/lab/lab.ts'

const MIB = 1024 * 1024
const strangers: ClientName[] = ['libtorrent', 'aria2', 'transmission', 'webtorrent', 'rtorrent']
const oneFile = { '': 8 * MIB + 12_345 }
const directory = { 'a/large': 6 * MIB + 77, 'a/small': 99, 'b/exact': 64 * 1024, empty: 0, one: 1 }

/** Every client with the settings that it comes with. */
describe.skipIf(!labAvailable())('other BitTorrent clients', () => {
  let swarm: Interop
  const server = (number: number) => swarm.lab.servers[number - 1] as LabHost
  afterEach(() => swarm?.lab.destroy())

  it.each(strangers)('%s downloads from our seeder, and ours from it when that is gone', async (client) => {
    swarm = await Interop.of(oneFile, 2)
    const seeder = await swarm.seed('murder', swarm.lab.deployHost)
    const theirs = await swarm.peer(client, server(1))
    await swarm.whole(server(1), theirs)
    await seeder.stop()
    await swarm.whole(server(2), await swarm.peer('murder', server(2)))
  })

  it.each(strangers)('%s downloads from our peer when our seeder is gone', async (client) => {
    swarm = await Interop.of(directory, 2)
    const seeder = await swarm.seed('murder', swarm.lab.deployHost)
    const ours = await swarm.peer('murder', server(1))
    await ours.line(/^Done and done$/)
    await seeder.stop()
    await swarm.whole(server(2), await swarm.peer(client, server(2)))
  })

  it.each([...strangers, 'libtorrent-super' as const])(
    'our peers download from a seeder of %s',
    async (client) => {
      swarm = await Interop.of(directory, 3)
      await swarm.seed(client, server(1))
      const ours = await Promise.all([2, 3].map(async (number) => swarm.peer('murder', server(number))))
      await Promise.all(ours.map((peer, i) => swarm.whole(server(i + 2), peer)))
    },
  )

  it.each(['libtorrent-magnet', 'aria2-magnet'] as const)(
    '%s: by a magnet link alone, from our seeder, and from our peer when that is gone',
    async (client) => {
      swarm = await Interop.of({ '': 30 * MIB + 5 }, 3) // its metadata is two messages long
      const seeder = await swarm.seed('murder', swarm.lab.deployHost)
      const ours = await swarm.peer('murder', server(1))
      await swarm.whole(server(2), await swarm.peer(client, server(2)))
      await ours.line(/^Done and done$/)
      await seeder.stop()
      await swarm.whole(server(3), await swarm.peer(client, server(3)))
    },
  )

  it('aria2 fetches one file of several from our seeder, with nobody else there', async () => {
    swarm = await Interop.of({ a: 6 * MIB, b: 3 * MIB, c: MIB }, 1)
    await swarm.seed('murder', swarm.lab.deployHost)
    await swarm.whole(server(1), await swarm.peer('aria2-one-file', server(1)), ['c'], 30)
  })

  it.each(['murder', 'webtorrent'] as const)('all of them make one swarm, seeded by %s', async (seeder) => {
    swarm = await Interop.of(oneFile, 7)
    await swarm.seed(seeder, swarm.lab.deployHost)
    const clients: ClientName[] = ['murder', ...strangers, 'murder']
    const peers = await Promise.all(clients.map((client, i) => swarm.peer(client, server(i + 1))))
    await Promise.all(peers.map((peer, i) => swarm.whole(server(i + 1), peer)))
    expect(peers[0]?.stdout).toContain('Done and done\n')
  })
})
