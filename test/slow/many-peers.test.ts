import { randomBytes } from 'node:crypto'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleAgent } from '../support/harness/agent-harness.ts'
import { Lab, labAvailable } from '../support/lab/lab.ts'

const [FILE, TORRENT] = ['/srv/file', '/srv/file.torrent']
/** More than a full mesh. */
const PEERS = 40
/** So slow that two cores carry all of them. */
const BITS_PER_S = 4e6
const CONTENT = randomBytes(2 * 1024 * 1024)

describe.skipIf(!labAvailable())('many peers on slow links', () => {
  let lab: Lab
  let program: string

  beforeAll(async () => {
    lab = await Lab.create({ hosts: PEERS, rate: BITS_PER_S, deployHost: true })
    program = await bundleAgent(lab.directory)
  })
  afterAll(() => lab?.destroy())

  const murder = (host: string, ...args: string[]) =>
    lab.exec(host, [process.execPath, program, ...args], { anyExit: true, timeout: 240_000 })
  const outside = (host: string, path: string) => lab.host(host).outside(path)

  it('all get the content, and most of it from each other', async () => {
    writeFileSync(outside('deploy', FILE), CONTENT)
    await murder('deploy', 'make-torrent', FILE, `${lab.deployHost.address}:8998`, TORRENT)
    await murder('deploy', 'tracker')
    await murder('deploy', 'seed', TORRENT, FILE, '--fleet', String(PEERS))
    const names = lab.servers.map(({ name }) => name)
    for (const name of names) copyFileSync(outside('deploy', TORRENT), outside(name, TORRENT))
    const ended = await Promise.all(names.map((name) => murder(name, 'peer', TORRENT, FILE)))
    expect(ended.filter(({ code }) => code !== 0)).toEqual([])
    const whole = names.filter((name) => readFileSync(outside(name, FILE)).equals(CONTENT))
    expect(whole).toEqual(names)
    // A quarter of what the seeder would send to each by itself. When the machine is idle it is some 2 of 40.
    expect((await lab.counters()).get('deploy')?.sent).toBeLessThan((CONTENT.length * PEERS) / 4)
  })
})
