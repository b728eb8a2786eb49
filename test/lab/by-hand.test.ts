import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleAgent } from '../support/harness/agent-harness.ts'
import { NEW } from '../support/lab/firewall.ts'
import { Lab, labAvailable } from '../support/lab/lab.ts'

const MiB = 1024 * 1024

/** What README's recipe says, on the machines of a lab. */
describe.skipIf(!labAvailable())('by hand', () => {
  let lab: Lab
  let program: string
  let tracker: string

  beforeAll(async () => {
    lab = await Lab.create({ hosts: 6 })
    program = await bundleAgent(lab.directory)
    const [first] = lab.servers
    tracker = `${first?.address}:8998`
    for (const server of lab.servers.slice(1)) await lab.sshd(server)
  })
  afterAll(() => lab?.destroy())

  const murder = (host: string, ...args: string[]) =>
    lab.exec(host, [process.execPath, program, ...args], { anyExit: true, timeout: 120_000 })
  const outside = (host: string, path = '/srv/data') => lab.host(host).outside(path)
  const put = (host: string, path: string, content: string | Buffer) => {
    const file = join(outside(host), path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
  }
  const received = async (host: string) => (await lab.counters()).get(host)?.received ?? Number.NaN
  /** What rsync would still have to do. */
  const rest = (host: string) =>
    execFileSync(
      'rsync',
      ['-aHAXn', '--itemize-changes', '--modify-window=-1', '--delete', '--exclude', '/.murder.mtree'].concat(
        `${outside('server1')}/`,
        `${outside(host)}/`,
      ),
      { encoding: 'utf8' },
    )

  it('brings a directory to five machines, one of them with another client', async () => {
    put('server1', 'app/main.js', randomBytes(3 * MiB))
    put('server1', 'app/bin/run', '#!/bin/sh\n')
    for (let file = 0; file < 200; file++) put('server1', `app/parts/${file}`, randomBytes(file * 31))
    const source = outside('server1')
    chmodSync(join(source, 'app/bin/run'), 0o4755)
    symlinkSync('../main.js', join(source, 'app/bin/link'))
    linkSync(join(source, 'app/main.js'), join(source, 'app/same'))
    mkdirSync(join(source, 'empty'), { mode: 0o700 })
    lutimesSync(join(source, 'app/bin/link'), 1e9, 1e9)
    execFileSync('chown', ['33:12', join(source, 'app/parts/7')])
    execFileSync('setfattr', ['-n', 'user.kind', '-v', 'x', join(source, 'app/main.js')])
    execFileSync('setfacl', ['-m', 'u:33:rw', join(source, 'app/parts/8')])

    expect(await murder('server1', 'make-torrent', '/srv/data', tracker, '/srv/data.torrent')).toMatchObject({
      code: 0,
    })
    expect(await murder('server1', 'tracker')).toMatchObject({ code: 0 })
    expect(await murder('server1', 'seed', '/srv/data.torrent', '/srv/data')).toMatchObject({ code: 0 })
    const others = ['server2', 'server3', 'server4', 'server5', 'server6']
    for (const host of others) {
      const [from, to] = [outside('server1', '/srv/data.torrent'), `${outside(host, '/srv')}/data.torrent`]
      writeFileSync(to, readFileSync(from))
    }
    const ours = others.slice(0, 4).map(async (host) => {
      expect(await murder(host, 'peer', '/srv/data.torrent', '/srv/data')).toMatchObject({
        code: 0,
        stdout: 'Done and done\n',
      })
      expect(rest(host)).toBe('')
      expect((await murder(host, 'verify', '/srv/data.torrent', '/srv/data')).code).toBe(0)
    })
    const aria2 = lab.exec(
      'server6',
      [
        'aria2c',
        '--seed-time=0',
        '--enable-dht=false',
        '--bt-tracker-interval=2',
        '--dir=/srv',
        '/srv/data.torrent',
      ],
      { timeout: 120_000 },
    )
    await Promise.all([...ours, aria2])
    for (const path of ['app/main.js', 'app/same', 'app/parts/199'])
      expect(readFileSync(join(outside('server6'), path))).toEqual(readFileSync(join(source, path)))
    expect(existsSync(join(source, '.murder.mtree'))).toBe(false)
    expect(readFileSync(join(outside('server6'), '.murder.mtree'))).toEqual(
      readFileSync(join(outside('server2'), '.murder.mtree')),
    )
    for (const host of lab.servers) await murder(host.name, 'stop', '--all')
  })

  describe('what is there already', () => {
    beforeAll(async () => {
      execFileSync('rm', ['-rf', outside('server1')])
      for (let file = 0; file < 8; file++) put('server1', `files/${file}`, randomBytes(2 * MiB))
      await murder(
        'server1',
        'make-torrent',
        '/srv/data',
        tracker,
        '/srv/data.torrent',
        '--piece-length',
        '64K',
      )
      await murder('server1', 'tracker')
      await murder('server1', 'seed', '/srv/data.torrent', '/srv/data')
      for (const host of ['server2', 'server3'])
        writeFileSync(
          outside(host, '/srv/data.torrent'),
          readFileSync(outside('server1', '/srv/data.torrent')),
        )
    })

    it('does not cross the network again', async () => {
      execFileSync('rm', ['-rf', outside('server2')])
      execFileSync('cp', ['-r', outside('server1'), outside('server2')])
      appendFileSync(join(outside('server2'), 'files/0'), 'longer than it should be')
      truncateSync(join(outside('server2'), 'files/1'), MiB)
      writeFileSync(join(outside('server2'), 'files/2'), randomBytes(100_000), { flag: 'r+' })
      execFileSync('rm', [join(outside('server2'), 'files/3')])
      put('server2', 'mine', 'not of the torrent')
      const before = await received('server2')
      expect(await murder('server2', 'peer', '/srv/data.torrent', '/srv/data', '--no-linger')).toMatchObject({
        code: 0,
      })
      const missing = MiB + 128 * 1024 + 2 * MiB
      expect((await received('server2')) - before).toBeGreaterThan(missing)
      expect((await received('server2')) - before).toBeLessThan(missing * 1.1 + 300_000)
      expect(readFileSync(join(outside('server2'), 'mine'), 'utf8')).toBe('not of the torrent')
      expect(await murder('server2', 'peer', '/srv/data.torrent', '/srv/data', '--delete')).toMatchObject({
        code: 0,
      })
      expect(rest('server2')).toBe('')
    })

    it('is kept when the peer is killed', async () => {
      execFileSync('rm', ['-rf', outside('server3')])
      const before = await received('server3')
      const first = lab.spawn('server3', [
        ...[process.execPath, program, 'peer', '/srv/data.torrent', '/srv/data'],
        ...['--json', '--down-limit', '4M', '--foreground'],
      ])
      await first.line(/"bytes":[5-9]\d{6}/)
      first.kill('SIGKILL')
      await first.ended
      expect(await murder('server3', 'peer', '/srv/data.torrent', '/srv/data', '--no-linger')).toMatchObject({
        code: 0,
      })
      expect((await received('server3')) - before).toBeLessThan(16 * MiB * 1.05 + 1.5 * MiB)
      expect(rest('server3')).toBe('')
    })
  })

  it('a machine that can open no connections says so, and is reached when the seeder is told of it', async () => {
    await murder('server1', 'stop', '--all')
    const from = outside('server1', '/srv/data.torrent')
    writeFileSync(outside('server4', '/srv/data.torrent'), readFileSync(from))
    execFileSync('rm', ['-rf', outside('server4')])
    const rules = [
      'add table inet shut',
      'add chain inet shut output { type filter hook output priority 0; }',
    ]
    rules.push(`add rule inet shut output oifname != "lo" ${NEW} drop`)
    await lab.exec('server4', ['nft', '-f', '-'], { input: `${rules.join('\n')}\n` })
    await murder('server1', 'tracker')
    await murder('server1', 'seed', '/srv/data.torrent', '/srv/data')
    const peer = ['peer', '/srv/data.torrent', '/srv/data', '--no-linger', '--connect-timeout']
    const alone = await murder('server4', ...peer, '7')
    expect(alone).toMatchObject({ code: 3 })
    expect(alone.stderr).toContain('it reaches nobody, name it to the seeder: --peer HOST:6881')
    await murder('server1', 'stop', '--all')
    await murder('server1', 'tracker')
    const address = `${lab.host('server4').address}:6881`
    await murder('server1', 'seed', '/srv/data.torrent', '/srv/data', '--peer', address)
    expect(await murder('server4', ...peer, '30')).toMatchObject({ code: 0, stdout: 'Done and done\n' })
    expect(rest('server4')).toBe('')
  })
})
