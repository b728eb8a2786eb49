import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleAgent } from '../support/harness/agent-harness.ts'
import { closePorts } from '../support/lab/firewall.ts'
import { hasNft, Lab, labAvailable } from '../support/lab/lab.ts'

describe.skipIf(!labAvailable() || !hasNft())('by hand, from a machine of which only port 22 is open', () => {
  let lab: Lab
  let program: string

  beforeAll(async () => {
    lab = await Lab.create({ hosts: 2 })
    program = await bundleAgent(lab.directory)
    const [first] = lab.servers
    await lab.sshd('server1')
    writeFileSync(first?.outside('/srv/data') ?? '', randomBytes(3_000_000))
    await closePorts(lab, ['server1'])
    await murder('server1', 'make-torrent', '/srv/data', `${first?.address}:8998`, '/srv/data.torrent')
    const torrent = readFileSync(first?.outside('/srv/data.torrent') ?? '')
    writeFileSync(lab.host('server2').outside('/srv/data.torrent'), torrent)
  })
  afterAll(() => lab?.destroy())

  const murder = (host: string, ...args: string[]) =>
    lab.exec(host, [process.execPath, program, ...args], { anyExit: true, timeout: 60_000 })

  test('the content comes over SSH', async () => {
    expect(await murder('server1', 'seed', '/srv/data.torrent', '/srv/data')).toMatchObject({ code: 0 })
    const via = `ssh:root@${lab.servers[0]?.address}`
    const peer = await murder(
      'server2',
      'peer',
      '/srv/data.torrent',
      '/srv/data',
      '--via',
      via,
      '--no-linger',
    )
    expect(peer.stdout).toContain('Done and done')
    expect(peer.code).toBe(0)
    const content = (host: string) => readFileSync(lab.host(host).outside('/srv/data'))
    expect(content('server2').equals(content('server1'))).toBe(true)
    const { stdout } = await lab.exec('server2', ['ps', '-eo', 'args='])
    expect(stdout).not.toMatch(/^ssh /m)
  })

  test('what ssh says is said, once', async () => {
    const args = ['/srv/data.torrent', '/srv/other', '--via', 'ssh:root@nowhere', '--connect-timeout', '3']
    const peer = await murder('server2', 'peer', ...args)
    expect(peer.code).toBe(3)
    expect(peer.stderr.match(/over SSH nowhere cannot be reached: /g)).toHaveLength(1)
    expect(peer.stderr).toContain(', ssh:root@nowhere; the tracker')
    const first = `ssh:root@${lab.servers[0]?.address}`
    const elsewhere = await murder('server2', 'peer', ...args.with(3, `${first}/7000`))
    expect(elsewhere.stderr).toContain('no peer listens on port 7000 there, or its sshd forwards nothing')
    expect(await murder('server2', 'peer', '/srv/data.torrent', '/srv/x', '--via', 'server1')).toMatchObject({
      code: 2,
    })
  })
})
