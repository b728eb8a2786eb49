import { randomBytes } from 'node:crypto'
import { copyFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleAgent } from '../support/harness/agent-harness.ts'
import { Lab, labAvailable } from '../support/lab/lab.ts'

const MiB = 1024 * 1024
const [FILE, TORRENT] = ['/srv/file', '/srv/file.torrent']

describe.skipIf(!labAvailable())('the limits of what is sent and received', () => {
  let lab: Lab
  let program: string

  const murder = (host: string, ...args: string[]) =>
    lab.exec(host, [process.execPath, program, ...args], { anyExit: true, timeout: 120_000 })
  const outside = (host: string, path: string) => lab.host(host).outside(path)

  beforeAll(async () => {
    lab = await Lab.create({ hosts: 5 })
    program = await bundleAgent(lab.directory)
    const [first, ...others] = lab.servers
    writeFileSync(outside('server1', FILE), randomBytes(40 * MiB))
    await murder('server1', 'make-torrent', FILE, `${first?.address}:8998`, TORRENT)
    await murder('server1', 'tracker')
    for (const { name } of others) copyFileSync(outside('server1', TORRENT), outside(name, TORRENT))
  })
  afterAll(() => lab?.destroy())

  /** Bytes a second over ten seconds, while it is under way. */
  async function measure(host: string, way: 'sent' | 'received'): Promise<number> {
    const read = async () => ({
      at: performance.now(),
      bytes: (await lab.counters()).get(host)?.[way] ?? Number.NaN,
    })
    const start = await read()
    await setTimeout(10_000)
    const end = await read()
    return ((end.bytes - start.bytes) / (end.at - start.at)) * 1000
  }

  const isNear = (rate: number, limit: number) => {
    expect(rate).toBeGreaterThan(limit * 0.95)
    expect(rate).toBeLessThan(limit * 1.05)
  }

  it('hold what a seeder sends to all together', async () => {
    await murder('server1', 'seed', TORRENT, FILE, '--up-limit', '1M', '--tag', 's')
    const hosts = ['server2', 'server3', 'server4']
    const peers = hosts.map((host) => murder(host, 'peer', TORRENT, FILE))
    await setTimeout(3000)
    isNear(await measure('server1', 'sent'), MiB)
    for (const host of hosts) await murder(host, 'stop', '--all')
    await Promise.all(peers)
    await murder('server1', 'stop', 's')
  })

  it('hold what a peer receives from all together', async () => {
    await murder('server1', 'seed', TORRENT, FILE, '--tag', 's')
    const peer = murder('server5', 'peer', TORRENT, FILE, '--down-limit', '500K')
    await setTimeout(3000)
    isNear(await measure('server5', 'received'), 500 * 1024)
    await murder('server5', 'stop', '--all')
    await peer
  })
})
