import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DeployLab, deployTo, flat } from '../support/harness/lab-deploy.ts'
import { nastyTree } from '../support/harness/nasty-tree.ts'
import { closePorts, openAll } from '../support/lab/firewall.ts'
import type { LabHost } from '../support/lab/host.ts'
import { hasNft, labAvailable } from '../support/lab/lab.ts'
import { survey } from '../unit/package/trees.ts'

const whole = (root: string) => survey(root, (mtime) => String(mtime / 1000n))

describe.skipIf(!labAvailable())('whole deploys in a lab of five servers', () => {
  let fleet: DeployLab
  let workspace: string

  beforeAll(async () => {
    fleet = await DeployLab.of(5, { config: ['AllowTcpForwarding no', 'ListenAddress 127.0.0.1'] })
    workspace = fleet.project.workspace
  })
  afterAll(() => fleet?.lab.destroy())
  beforeEach(() => void mkdirSync(workspace, { recursive: true }))
  afterEach(() => fleet.reset())

  test('every server has the very same tree, also the one that was emptied before the second deploy', async () => {
    nastyTree(workspace)
    for (const turn of ['first', 'second']) {
      const run = await fleet.run()
      expect(run).toMatchObject({ code: 0, stderr: '' })
      if (turn === 'second') expect(run.text).toMatch(/^delta +\d+ B to 4 of 5 servers/m)
      for (const server of fleet.servers)
        expect(whole(server.outside(`${deployTo}/${fleet.live(server)}`))).toEqual(whole(workspace))
      expect(await fleet.quiet(5)).toEqual([])
      rmSync(fleet.server(3).outside(deployTo), { recursive: true })
      writeFileSync(join(workspace, 'two words'), 'changed')
    }
  })

  test('a full disk: what is missing is said before anything is sent, nothing changes', async () => {
    nastyTree(workspace)
    expect(await fleet.run()).toMatchObject({ code: 0 })
    const before = fleet.lives()
    writeFileSync(join(workspace, 'large'), randomBytes(20_000_000))
    const server = fleet.server(1)
    const temporary = `${deployTo}/shared/murder/tmp`
    await fleet.lab.exec(server, ['mount', '-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', temporary])
    try {
      const run = await fleet.run()
      expect(run.code).toBe(1)
      expect(run.text).toMatch(new RegExp(`^root@${server.address} +check +the disk is too full`, 'm'))
      expect(fleet.lives()).toEqual(before)
      expect(await fleet.quiet(5)).toEqual([])
    } finally {
      await fleet.lab.exec(server, ['umount', temporary])
    }
  })

  test('a disk that fills up while it unpacks: nothing is published or left anywhere', async () => {
    nastyTree(workspace)
    expect(await fleet.run()).toMatchObject({ code: 0 })
    const before = fleet.lives()
    writeFileSync(join(workspace, 'large'), randomBytes(20_000_000))
    const server = fleet.server(2)
    // There is room when the server is asked; then its own node fills the disk before it receives.
    await fleet.lab.exec(server, ['mount', '-t', 'tmpfs', '-o', 'size=60m', 'tmpfs', '/srv/app/releases'])
    const node = join(fleet.lab.directory, 'node')
    const filler = `if [ "$(hostname)" = ${server.name} ]; then case "$*" in *receive*) head -c 45000000 /dev/zero >/srv/app/releases/filler;; esac; fi`
    writeFileSync(node, `#!/bin/sh\n${filler}\nexec '${process.execPath}' "$@"\n`)
    chmodSync(node, 0o755)
    try {
      const run = await fleet.run({ MURDER_NODE: node })
      expect(run.code).toBe(1)
      // A long path is not broken, so that cause and cure are stacked below this.
      expect(run.text).toMatch(new RegExp(`^root@${server.address}:? +unpack`, 'm'))
      expect(flat(run.text)).toMatch(/it takes [\d.]+ MiB, and [\d.]+ \S+ are free/)
      expect(run.text).toContain('1 of 5 servers failed: nothing was published')
      expect(fleet.lives().toSpliced(2, 1)).toEqual(before.toSpliced(2, 1))
      const { stdout } = await fleet.lab.exec(server, ['ls', '-A', '/srv/app/releases'])
      expect(stdout).toBe('filler\n')
      expect(await fleet.quiet(5, [server])).toEqual([])
    } finally {
      await fleet.lab.exec(server, ['umount', '/srv/app/releases'])
    }
    expect(await fleet.run()).toMatchObject({ code: 0 })
  })

  test('an address of the deploy host that leads nowhere is named, with what helps', async () => {
    nastyTree(workspace)
    const run = await fleet.run({
      MURDER_REACH: 'direct',
      MURDER_ANNOUNCE: '10.77.200.200',
      MURDER_TIMEOUTS_CONNECT: '4',
    })
    expect(run.code).toBe(1)
    const text = flat(run.text)
    expect(text).toContain('10.77.200.200:8998')
    expect(text).toContain('murder.announce')
    expect(fleet.lives()).toEqual(Array(5).fill(undefined))
    expect(await fleet.quiet(5)).toEqual([])
  })

  describe.skipIf(!hasNft())('a deploy host that no server reaches', () => {
    afterEach(() => openAll(fleet.lab, fleet.lab.hosts))

    test('it is reached through SSH, and sends the release once', async () => {
      await closePorts(fleet.lab, ['deploy'], 'drop')
      fleet.plant(4)
      const run = await fleet.run()
      expect(run).toMatchObject({ code: 0 })
      expect(flat(run.text)).toContain('All servers reach the deploy host through SSH: nothing answers there')
      expect(Number(/^seeder sent .*, ([\d.]+) times/m.exec(run.text)?.[1])).toBeLessThan(2)
      expect(fleet.upToDate()).toHaveLength(5)
      expect(await fleet.quiet(5)).toEqual([])
    })

    /** Its sshd sees connections from 127.0.0.1 then. */
    const throughItself = (server: LabHost) => {
      const path = join(fleet.lab.deployHost.outside(join(userInfo().homedir, '.ssh')), 'config')
      const { identity, knownHosts } = fleet.lab.keys
      const ssh = `ssh -F none -i ${identity} -o UserKnownHostsFile=${knownHosts} root@${server.address}`
      const pipe = join(fleet.lab.directory, 'pipe.cjs')
      const code = `process.stdin.pipe(require('net').connect(22, '127.0.0.1')).pipe(process.stdout)`
      writeFileSync(pipe, code)
      const before = readFileSync(path, 'utf8')
      const proxy = `ProxyCommand ${ssh} exec ${process.execPath} ${pipe}`
      writeFileSync(path, `Host ${server.address}\n${proxy}\nHost *\n${before}`)
      return () => writeFileSync(path, before)
    }

    test('servers that do not reach each other either: all that is open is port 22', async () => {
      await closePorts(fleet.lab, fleet.lab.hosts, 'reject with tcp reset')
      const restore = throughItself(fleet.server(0))
      fleet.plant(4)
      const run = await fleet.run()
      expect(run).toMatchObject({ code: 0 })
      const why = 'the connection is refused; its address is not known'
      expect(flat(run.text).replace(/(its .* known); (the .* refused)/, '$2; $1')).toContain(why)
      expect(fleet.upToDate()).toHaveLength(5)
      expect(await fleet.quiet(5)).toEqual([])
      restore()
    })

    test('connections break in the middle, and the deploy is killed in the next one', async () => {
      await closePorts(fleet.lab, ['deploy'], 'drop')
      fleet.plant(20)
      const slow = { MURDER_UPLOAD_LIMIT: '3M' }
      const broken = fleet.start(slow)
      await broken.line(/^transfer [1-9]/)
      for (const server of fleet.servers.slice(0, 2)) {
        const { stdout } = await fleet.lab.exec(server, ['ps', '-eo', 'pid=,args='])
        const sessions = stdout.split('\n').filter((line) => /sshd: root@/.test(line))
        await fleet.lab.exec(server, [
          'kill',
          '-9',
          ...sessions.map((line) => line.trim().split(' ')[0] ?? ''),
        ])
      }
      const run = await fleet.end(broken)
      expect(run.text).toContain('the way through SSH broke')
      expect(run).toMatchObject({ code: 0 })
      expect(fleet.upToDate()).toHaveLength(5)
      fleet.plant(20)
      const killed = fleet.start(slow)
      await killed.line(/^transfer [1-9]/)
      killed.kill('SIGKILL')
      await killed.ended
      const relays = async () => (await fleet.leftovers()).filter((line) => line.includes(' relay '))
      for (let second = 0; second < 10 && (await relays()).length > 0; second++)
        await new Promise((resolve) => setTimeout(resolve, 1000))
      expect(await relays()).toEqual([])
      await fleet.run()
    })
  })

  test('a server that is cut off in the middle', async () => {
    writeFileSync(join(workspace, 'large'), randomBytes(40_000_000))
    const program = fleet.start({ MURDER_TIMEOUTS_STALL: '2', MURDER_DOWNLOAD_LIMIT: '4M' })
    await program.line(/^transfer [1-9]/)
    const server = fleet.server(4)
    await fleet.lab.cut(server)
    const { code, text } = await fleet.end(program)
    await fleet.lab.restore(server)
    expect(code).toBe(1)
    expect(text).toMatch(new RegExp(`${server.address} +transfer +`))
    expect(fleet.lives()).toEqual(Array(5).fill(undefined))
    expect(await fleet.quiet(5, [server])).toEqual([])
    expect(await fleet.run()).toMatchObject({ code: 0 })
  })
})
