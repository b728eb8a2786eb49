import { cpSync, existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DeployLab, deployTo, flat } from '../support/harness/lab-deploy.ts'
import { addRules, closePorts, NEW, openAll } from '../support/lab/firewall.ts'
import type { LabHost } from '../support/lab/host.ts'
import { hasNft, labAvailable } from '../support/lab/lab.ts'

const OWN_KEY = 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ== me@laptop, no newline at the end'
const WISHED = { MURDER_BETWEEN: 'auto' }
const NOT_NEEDED = ['AllowTcpForwarding no', 'PermitTTY no', 'MaxSessions 1']

describe.skipIf(!labAvailable() || !hasNft())('servers that exchange over SSH', () => {
  let fleet: DeployLab
  const authorized = (server: LabHost) => server.outside(join(userInfo().homedir, '.ssh', 'authorized_keys'))
  const changed = () =>
    fleet.servers
      .filter((server) => readFileSync(authorized(server), 'utf8') !== OWN_KEY)
      .map(({ name }) => name)
  const seederSent = (text: string) => Number(/^seeder sent .*, ([\d.]+) times/m.exec(text)?.[1])

  const from = (hosts: readonly LabHost[]) => `ip saddr { ${hosts.map(({ address }) => address).join(', ')} }`
  /** Starts sshd of a server again with these first lines of its configuration. */
  const configure = async (index: number, config: string[]) => {
    await fleet.sshds[index]?.process.stop()
    fleet.sshds[index] = await fleet.lab.sshd(fleet.server(index), { config })
  }

  beforeAll(async () => {
    fleet = await DeployLab.of(5, { config: NOT_NEEDED })
  })
  beforeEach(async () => {
    await fleet.reset()
    for (const server of fleet.servers) writeFileSync(authorized(server), OWN_KEY)
  })
  afterEach(() => openAll(fleet.lab, fleet.lab.hosts))
  afterAll(() => fleet?.lab.destroy())

  test('all that is open is port 22: the seeder still sends the release once', async () => {
    await closePorts(fleet.lab, fleet.lab.hosts)
    fleet.plant(20)
    const run = await fleet.run(WISHED)
    expect(run).toMatchObject({ code: 0 })
    expect(flat(run.text)).toContain('The servers exchange over SSH: nothing answers on their peer ports')
    expect(fleet.upToDate()).toHaveLength(5)
    expect(seederSent(run.text)).toBeLessThan(2)
    expect(await fleet.quiet(5)).toEqual([])
    expect(changed()).toEqual([])
    const doctor = await fleet.run({}, 'murder:doctor')
    expect(doctor.code).toBe(1)
    expect(doctor.text).toMatch(/^10 +over SSH +open murder.ports; or set murder.between to auto/m)
    expect(doctor.text).not.toMatch(/^\d+ +not at all/m)
    const wished = await fleet.run(WISHED, 'murder:doctor')
    expect(wished).toMatchObject({ code: 0 })
    expect(flat(wished.text)).toContain(
      '5 servers: fit for a deploy. Ports are closed, and it gets around them:',
    )
    expect(changed()).toEqual([])
  })

  test('single tasks find their way, too', async () => {
    await closePorts(fleet.lab, fleet.lab.hosts)
    fleet.plant(8)
    expect(await fleet.run({}, 'murder:seed')).toMatchObject({ code: 0 })
    const received = await fleet.run(WISHED, 'murder:peer')
    expect(received).toMatchObject({ code: 0 })
    expect(flat(received.text)).toContain('All servers reach the deploy host through SSH')
    expect(flat(received.text)).toContain(
      'The servers exchange over SSH: nothing answers on their peer ports',
    )
    expect(await fleet.run({}, 'deploy:publish')).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(5)
    const stops = ['murder:stop_peering', 'murder:stop_seeding', 'murder:stop_tracker', 'murder:clean']
    expect(await fleet.run({}, ...stops)).toMatchObject({ code: 0 })
    expect(await fleet.quiet(60)).toEqual([])
    expect(changed()).toEqual([])
    expect(await fleet.run({ MURDER_REACH: 'ssh' }, 'murder:distribute')).toMatchObject({ code: 0 })
    expect(await fleet.quiet(60)).toEqual([])
  })

  test('unless it is wished no key is put anywhere: the seeder sends all, and a line says what helps', async () => {
    await closePorts(fleet.lab, fleet.servers, 'reject with tcp reset')
    const stats = () => fleet.servers.map((server) => statSync(authorized(server)).ctimeMs)
    const before = stats()
    fleet.plant(4)
    const run = await fleet.run()
    expect(stats()).toEqual(before)
    expect(run).toMatchObject({ code: 0 })
    expect(flat(run.text)).toContain('set murder.between to auto: then they exchange over SSH')
    expect(seederSent(run.text)).toBeGreaterThan(4)
    expect(changed()).toEqual([])
  })

  test('half of the fleet reaches the other half only one way, on all ports; the wish is as good as the need', async () => {
    const [one, other] = [fleet.servers.slice(0, 2), fleet.servers.slice(2)]
    await addRules(fleet.lab, one, `${from(other)} ${NEW} reject with tcp reset`)
    fleet.plant(8)
    const direct = await fleet.run(WISHED)
    expect(direct).toMatchObject({ code: 0 })
    expect(direct.text).not.toContain('over SSH')
    fleet.plant(8)
    const linked = await fleet.run({ MURDER_BETWEEN: 'ssh' })
    expect(linked).toMatchObject({ code: 0 })
    expect(flat(linked.text)).toContain('The servers exchange over SSH: as murder.between says')
    expect(fleet.upToDate()).toHaveLength(5)
    expect(await fleet.quiet(5)).toEqual([])
    expect(changed()).toEqual([])
  })

  test('with between: ssh no server opens another connection to another one', async () => {
    await addRules(fleet.lab, fleet.servers, `${from(fleet.servers)} tcp dport != 22 ${NEW} counter`)
    fleet.plant(4)
    expect(await fleet.run({ MURDER_BETWEEN: 'ssh' })).toMatchObject({ code: 0 })
    for (const server of fleet.servers) {
      const { stdout } = await fleet.lab.exec(server, ['nft', 'list', 'ruleset'])
      expect(stdout).toContain('counter packets 0 bytes 0')
    }
  })

  test('where a key would not do, or do more than it should, the seeder sends all, and a line says why', async () => {
    await closePorts(fleet.lab, fleet.servers, 'reject with tcp reset')
    const wrapper = join(fleet.lab.directory, 'wrapper')
    const seen = join(fleet.lab.directory, 'seen')
    writeFileSync(
      wrapper,
      `#!/bin/sh\necho "$SSH_ORIGINAL_COMMAND" >>${seen}\neval "$SSH_ORIGINAL_COMMAND"\n`,
      {
        mode: 0o755,
      },
    )
    await configure(0, [`ForceCommand ${wrapper}`])
    await configure(1, [`AuthorizedKeysFile ${fleet.lab.keys.authorizedKeys}`])
    const ssh = join(userInfo().homedir, '.ssh')
    await fleet.lab.exec(fleet.server(2), ['mount', '--bind', '-o', 'ro', ssh, ssh])
    await fleet.lab.exec(fleet.server(2), ['mount', '-o', 'remount,bind,ro', ssh])
    fleet.plant(4)
    const run = await fleet.run(WISHED)
    await fleet.lab.exec(fleet.server(2), ['umount', ssh])
    await configure(0, NOT_NEEDED)
    await configure(1, NOT_NEEDED)
    expect(run).toMatchObject({ code: 0 })
    const text = flat(run.text)
    expect(text).toContain('2 of 5 servers exchange over SSH: their peer ports refuse; not 3 (')
    expect(text).toContain('and 2 more')
    expect(text).toMatch(/ForceCommand|does not take a key|EROFS/)
    expect(fleet.upToDate()).toHaveLength(5)
    expect(changed()).toEqual([])
    // Only the server itself has tried what its sshd does with a key.
    const tried = readFileSync(seen, 'utf8')
      .split('\n')
      .filter((line) => line === 'murder command')
    expect(tried).toHaveLength(1)
    expect(await fleet.quiet(5)).toEqual([])
  })

  test('where a key does not do, the SSH agent that the user forwards does, and no file changes', async () => {
    await closePorts(fleet.lab, fleet.servers, 'reject with tcp reset')
    const { authorizedKeys, identity } = fleet.lab.keys
    const some = [...fleet.servers.keys()].slice(1) // The first takes keys, too, with which it gets nowhere.
    for (const index of some) await configure(index, [`AuthorizedKeysFile ${authorizedKeys}`])
    const socket = join(fleet.project.directory, 'agent')
    const agent = fleet.lab.spawn('deploy', ['ssh-agent', '-D', '-a', socket])
    const env = { ...WISHED, SSH_AUTH_SOCK: socket }
    while (!existsSync(socket)) await setTimeout(50)
    await fleet.lab.exec('deploy', ['ssh-add', '-q', identity], { env })
    const config = fleet.lab.host('deploy').outside(join(userInfo().homedir, '.ssh', 'config'))
    const usual = readFileSync(config, 'utf8')
    try {
      fleet.plant(8)
      const without = await fleet.run(env)
      expect(flat(without.text)).toContain('nor over SSH (')
      writeFileSync(config, `ForwardAgent yes\n${usual}`)
      fleet.plant(8)
      const run = await fleet.run(env)
      expect(flat(run.text)).toContain(
        'The servers exchange over SSH, with the SSH agent that is forwarded: their peer ports refuse',
      )
      expect(run).toMatchObject({ code: 0 })
      expect(seederSent(run.text)).toBeLessThan(2)
    } finally {
      writeFileSync(config, usual)
      await agent.stop()
      for (const index of fleet.servers.keys()) await configure(index, NOT_NEEDED)
    }
    expect(fleet.upToDate()).toHaveLength(5)
    expect(await fleet.quiet(60)).toEqual([])
    expect(changed()).toEqual([])
  })

  test('a server whose release was edited takes the whole through SSH, after a delta that came with its order', async () => {
    await closePorts(fleet.lab, fleet.lab.hosts)
    fleet.plant(8)
    expect(await fleet.run(WISHED)).toMatchObject({ code: 0 })
    const edited = fleet.server(1).outside(join(deployTo, 'current', 'large'))
    writeFileSync(edited, Buffer.from(readFileSync(edited)).fill(0, 1_000_000, 1_000_100))
    writeFileSync(join(fleet.project.workspace, 'file'), 'changed')
    const large = join(fleet.project.workspace, 'large')
    writeFileSync(large, Buffer.from(readFileSync(large)).fill(1, 5_000_000, 5_000_100))
    const run = await fleet.run(WISHED)
    expect(run).toMatchObject({ code: 0 })
    expect(flat(run.text)).toContain('.2 reaches the deploy host through SSH: nothing answers there')
    expect(run.text).toMatch(/^no delta .*: changed there, so it took the whole package$/m)
    expect(fleet.upToDate()).toHaveLength(5)
    expect(await fleet.quiet(5)).toEqual([])
    expect(changed()).toEqual([])
  })

  test('so it does where a server seeds that it does not reach, and so does a new server', async () => {
    await closePorts(fleet.lab, fleet.lab.hosts)
    const seeding = { ...WISHED, MURDER_SEEDER: fleet.server(0).address }
    fleet.plant(8)
    rmSync(fleet.server(3).outside(deployTo), { recursive: true, force: true })
    expect(await fleet.run({ ...seeding, MURDER_EXCEPT: fleet.server(3).address })).toMatchObject({ code: 0 })
    for (const index of [1, 2]) {
      const edited = fleet.server(index).outside(join(deployTo, 'current', 'large'))
      writeFileSync(edited, Buffer.from(readFileSync(edited)).fill(0, 1_000_000, 1_000_100))
    }
    const large = join(fleet.project.workspace, 'large')
    writeFileSync(large, Buffer.from(readFileSync(large)).fill(1, 5_000_000, 5_000_100))
    const run = await fleet.run(seeding)
    expect(run).toMatchObject({ code: 0 })
    expect(
      flat(run.text).match(/does not reach the seeder: it takes the release from the deploy host/g),
    ).toHaveLength(3)
    expect(fleet.upToDate()).toHaveLength(5)
    expect(await fleet.quiet(5)).toEqual([])
    expect(changed()).toEqual([])
  })

  test('and with between: direct, where nothing else is open', async () => {
    await closePorts(fleet.lab, fleet.lab.hosts, 'reject with tcp reset')
    fleet.plant(4)
    const run = await fleet.run({ MURDER_SEEDER: fleet.server(0).address })
    expect(run).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(5)
    expect(await fleet.quiet(5)).toEqual([])
  })

  test('a server that takes any variable from clients could be made to run something: no key is let in there', async () => {
    await configure(0, ['AcceptEnv *'])
    fleet.plant(4)
    const run = await fleet.run({ MURDER_BETWEEN: 'ssh' })
    await configure(0, NOT_NEEDED)
    expect(run).toMatchObject({ code: 0 })
    expect(flat(run.text)).toMatch(/4 of 5 servers exchange over SSH: .*; not one \(.*AcceptEnv/)
    expect(fleet.upToDate()).toHaveLength(5)
  })

  test('what a key can do is to be the other end, and nothing else', async () => {
    await configure(1, []) // This sshd itself forbids nothing.
    fleet.plant(20)
    const running = fleet.start({ MURDER_BETWEEN: 'ssh', MURDER_UPLOAD_LIMIT: '200K' })
    await running.line(/^transfer [1-9]/)
    const [one, other] = [fleet.server(0), fleet.server(1)]
    const transfer = `${deployTo}/shared/murder/tmp/${fleet.list(one, `${deployTo}/shared/murder/tmp`)[0]}`
    const directory = `${transfer}/links`
    const keyOf = (server: LabHost) => readFileSync(server.outside(`${directory}/key`), 'utf8')
    expect(new Set(fleet.servers.map(keyOf)).size).toBe(5)
    const { keys } = fleet.lab
    const tries = async (...args: string[]) => {
      const ssh = [
        'ssh',
        '-F',
        'none',
        '-i',
        `${directory}/key`,
        '-o',
        `UserKnownHostsFile=${keys.knownHosts}`,
      ]
      const options = ['-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'ConnectTimeout=5']
      const command = [...ssh, ...options, ...args]
      return fleet.lab.exec(one, ['timeout', '3', ...command], { anyExit: true, input: 'echo pwned; id\n' })
    }
    const target = `root@${other.address}`
    for (const args of [
      [target],
      [target, 'id'],
      [target, 'murder', 'receive'],
      ['-tt', target],
      ['-A', target, 'ssh-add', '-l'],
      ['-s', target, 'sftp'],
      ['-o', 'SendEnv=*', target, 'sh', '-i'],
    ]) {
      const { stdout } = await tries(...args)
      expect([args, stdout.replace(/^murder link( taken)?\n/gm, '')]).toEqual([args, ''])
    }
    const local = await tries('-W', '127.0.0.1:22', target)
    expect(local.stdout).not.toContain('SSH-2.0')
    expect(local.stderr).toMatch(/administratively prohibited|stdio forwarding failed/)
    const back = await tries('-o', 'ExitOnForwardFailure=yes', '-R', '127.0.0.1:0:127.0.0.1:22', '-N', target)
    expect(back.stderr).toContain('remote port forwarding failed')
    const socket = await tries('-o', 'ExitOnForwardFailure=yes', '-R', '/tmp/x:127.0.0.1:22', '-N', target)
    expect(socket.stderr).toContain('remote port forwarding failed')
    expect(existsSync(other.outside('/tmp/x'))).toBe(false)
    // Neither names the key anywhere, nor has its private half left the server that made it.
    const { stdout: processes } = await fleet.lab.exec(one, ['ps', '-eo', 'args='])
    expect(processes).not.toMatch(/PRIVATE KEY|ssh-ed25519/)
    // It was in force all the time.
    expect(changed()).toHaveLength(5)
    running.kill('SIGINT')
    expect(await fleet.end(running)).toMatchObject({ code: 130 })
    await configure(1, NOT_NEEDED)
    expect(await fleet.quiet(5)).toEqual([])
    expect((await fleet.lab.exec(one, ['test', '-e', directory], { anyExit: true })).code).toBe(1)
    expect(changed()).toEqual([])
  })

  test('a deploy that is killed leaves nothing: no key, no process', async () => {
    await closePorts(fleet.lab, fleet.lab.hosts)
    fleet.plant(20)
    const killed = fleet.start({ ...WISHED, MURDER_UPLOAD_LIMIT: '1M', MURDER_LINGER: '300' })
    await killed.line(/^transfer [1-9]/)
    expect(changed()).toHaveLength(5)
    killed.kill('SIGKILL')
    await killed.ended
    const left = async () =>
      (await fleet.leftovers()).filter((line) => /murder\S*\.mjs|ssh -F/.test(line)).concat(changed())
    const deadlineMs = Date.now() + 55_000
    while ((await left()).length > 0 && Date.now() < deadlineMs) await setTimeout(1000)
    expect(await left()).toEqual([])
    expect(await fleet.run(WISHED)).toMatchObject({ code: 0 })
  }, 120_000)

  test('an agent that is killed leaves its line, and the next deploy removes it', async () => {
    fleet.plant(20)
    const running = fleet.start({ MURDER_BETWEEN: 'ssh', MURDER_UPLOAD_LIMIT: '1M', MURDER_TOLERATE: '1' })
    await running.line(/^transfer [1-9]/)
    const { stdout } = await fleet.lab.exec(fleet.server(0), ['ps', '-eo', 'pid=,args='])
    const agents = stdout.split('\n').filter((line) => / receive/.test(line))
    expect(agents.length).toBeGreaterThan(0)
    running.kill('SIGKILL')
    await running.ended
    await fleet.lab.exec(fleet.server(0), [
      'kill',
      '-9',
      ...agents.map((line) => line.trim().split(' ')[0] ?? ''),
    ])
    await setTimeout(500)
    expect(changed()).toContain('server1')
    fleet.plant(1)
    expect(await fleet.run()).toMatchObject({ code: 0 })
    expect(readFileSync(authorized(fleet.server(0)), 'utf8')).toBe(OWN_KEY)
  }, 120_000)

  test('two deploys at once, and files that were not there before, or are links', async () => {
    await closePorts(fleet.lab, fleet.lab.hosts)
    rmSync(authorized(fleet.server(0)))
    const target = join(userInfo().homedir, '.ssh', 'keys')
    writeFileSync(fleet.server(1).outside(target), OWN_KEY)
    rmSync(authorized(fleet.server(1)))
    symlinkSync('keys', authorized(fleet.server(1)))
    const { directory } = fleet.project
    const second = `${directory}-2`
    cpSync(directory, second, { recursive: true, verbatimSymlinks: true })
    const shipitfile = join(second, 'shipitfile.js')
    const text = readFileSync(shipitfile, 'utf8').replaceAll(deployTo, '/srv/other')
    writeFileSync(shipitfile, text)
    fleet.plant(8)
    const command = [process.execPath, 'node_modules/.bin/shipit', 'production', 'deploy']
    const other = fleet.lab.spawn('deploy', command, { cwd: second, env: WISHED })
    const [run, otherRun] = await Promise.all([fleet.run(WISHED), fleet.end(other)])
    expect(run).toMatchObject({ code: 0 })
    expect(otherRun).toMatchObject({ code: 0 })
    expect(flat(run.text)).toContain('The servers exchange over SSH')
    expect(flat(otherRun.text)).toContain('The servers exchange over SSH')
    expect(existsSync(authorized(fleet.server(0)))).toBe(false)
    writeFileSync(authorized(fleet.server(0)), OWN_KEY)
    expect(readFileSync(fleet.server(1).outside(target), 'utf8')).toBe(OWN_KEY)
    expect(changed()).toEqual([])
    rmSync(second, { recursive: true })
    rmSync(authorized(fleet.server(1)))
  })
})
