import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { DeployLab, deployTo, flat } from '../support/harness/lab-deploy.ts'
import { addRules, openAll } from '../support/lab/firewall.ts'
import { alwaysVisible } from '../support/lab/host.ts'
import { hasNft, labAvailable } from '../support/lab/lab.ts'

interface Report {
  published: boolean
  leftOut: string[]
  servers: { server: string; retries: number; outcome: string; failure?: { cause: string } }[]
}

describe.skipIf(!labAvailable())('a deploy to servers of which one is not fit', () => {
  let fleet: DeployLab

  beforeAll(async () => {
    // One connection that does not log in is one too many.
    fleet = await DeployLab.of(4, { config: ['MaxStartups 1:100:1', 'LoginGraceTime 0'] })
  })
  afterAll(() => fleet?.lab.destroy())
  afterEach(() => fleet.reset())

  const report = () => join(fleet.project.directory, 'report.json')
  const reported = () => JSON.parse(readFileSync(report(), 'utf8')) as Report

  /** Keeps everybody else from the server's sshd. */
  async function crowd(index: number) {
    const script = `exec 3<>/dev/tcp/${fleet.server(index).address}/22; read -r x <&3; echo in; exec sleep 1000`
    const crowd = fleet.lab.spawn('deploy', ['bash', '-c', script])
    onTestFinished(() => void crowd.kill('SIGKILL')) // harmless once it has ended
    await crowd.line(/^in$/)
    return crowd
  }

  test('sshd turns connections away for a while, then for good', async () => {
    fleet.plant()
    const passing = await crowd(1)
    const patient = fleet.start({ MURDER_REPORT: report() })
    await fleet.sshds[1]?.process.line(/MaxStartups/)
    await passing.stop()
    expect(await fleet.end(patient)).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(4)
    expect(reported().servers.map(({ retries }) => retries > 0)).toEqual([false, true, false, false])

    const lasting = await crowd(2)
    fleet.plant()
    const before = fleet.lives()
    const refused = await fleet.run({ MURDER_RETRIES: '2' })
    expect(refused.code).toBe(1)
    expect(flat(refused.text)).toMatch(new RegExp(`${fleet.label(2)} (check|connect) `))
    expect(fleet.lives()).toEqual(before)
    const tolerant = await fleet.run({ MURDER_RETRIES: '2', MURDER_TOLERATE: '1', MURDER_REPORT: report() })
    await lasting.stop()
    expect(tolerant.code).toBe(0)
    expect(reported()).toMatchObject({ published: true, leftOut: [fleet.label(2)] })
    expect(reported().servers[2]).toMatchObject({ outcome: 'failed', retries: 2 })
    expect(fleet.upToDate()).toEqual(['server1', 'server2', 'server4'])
    expect(await fleet.quiet()).toEqual([])
  })

  test('a disk that is full from the start', async () => {
    fleet.plant()
    expect(await fleet.run()).toMatchObject({ code: 0 })
    const before = fleet.lives()
    fleet.plant(20)
    const server = fleet.server(1)
    const releases = `${deployTo}/releases`
    await fleet.lab.exec(server, ['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', releases])
    try {
      const strict = await fleet.run({ MURDER_REPORT: report() })
      expect(strict.code).toBe(1)
      expect(reported().servers[1]?.failure?.cause).toMatch(
        /^the disk is too full: the package takes 19\.\d MiB and the release 19\.\d MiB, [34]\.\d MiB are free$/,
      )
      expect(strict.text).toContain('1 of 4 servers failed: nothing was published')
      expect(fleet.lives()).toEqual(before)
      expect(await fleet.quiet()).toEqual([])
      for (const each of fleet.servers.filter((other) => other !== server))
        expect(fleet.list(each, releases)).toHaveLength(1)
      const { stdout } = await fleet.lab.exec(server, ['ls', '-A', releases])
      expect(stdout).toBe('')

      const tolerant = await fleet.run({ MURDER_TOLERATE: '1', MURDER_REPORT: report() })
      expect(tolerant.code).toBe(0)
      expect(reported()).toMatchObject({ published: true, leftOut: [fleet.label(1)] })
      expect(fleet.upToDate()).toEqual(['server1', 'server3', 'server4'])
      expect(await fleet.quiet()).toEqual([])
    } finally {
      await fleet.lab.exec(server, ['umount', releases])
    }
    expect(await fleet.run({}, 'murder:retry')).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(4)
  })

  test.each([
    ['says again and again how far it is', `while sleep 0.5; do echo '{"event":"progress","bytes":1}'; done`],
    ['prints without end', 'exec yes'],
  ])('a server whose agent %s is left out', async (_what, script) => {
    fleet.plant()
    const node = join(fleet.project.directory, 'bad-node')
    const bad = `case "$(hostname) $*" in "server2 "*receive*) ${script};; esac`
    writeFileSync(node, `#!/bin/sh\n${bad}\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 })
    const env = { MURDER_NODE: node, MURDER_TOLERATE: '1', MURDER_TIMEOUTS_STALL: '4' }
    expect(await fleet.run({ ...env, MURDER_REPORT: report() })).toMatchObject({ code: 0 })
    expect(reported()).toMatchObject({ published: true, leftOut: [fleet.label(1)] })
    expect(fleet.upToDate()).toEqual(['server1', 'server3', 'server4'])
  })

  /** All that is on the servers, with times; what they see of the real machine may change meanwhile. */
  async function everything(): Promise<string[]> {
    const skip = alwaysVisible().flatMap((path) => ['-path', path, '-prune', '-o'])
    const find = ['find', '/srv', '/tmp', ...skip, '-printf', '%p %T@ %s %m %l\n']
    const lists = await Promise.all(fleet.servers.map((server) => fleet.lab.exec(server, find)))
    return lists.flatMap(({ stdout }, index) => stdout.split('\n').map((line) => `${index} ${line}`))
  }

  type Problem = { server: string; check: string; cause: string; bypassed?: boolean }

  /** What murder:doctor finds, by server and check; and what a dry run says. Neither changes anything. */
  async function look(env: Record<string, string> = {}) {
    const before = await everything()
    const { code, text } = await fleet.run({ ...env, MURDER_OUTPUT: 'json' }, 'murder:doctor')
    const found = /^\{.*"event":"doctor".*\}$/m.exec(text)?.[0] ?? '{"problems":[]}'
    const problems = (JSON.parse(found) as { problems: Problem[] }).problems
    expect(code).toBe(problems.every(({ bypassed }) => bypassed) ? 0 : 1)
    const dry = await fleet.run({ ...env, MURDER_DRY_RUN: '1' })
    expect(await everything()).toEqual(before)
    const lines = problems.map(({ server, check, cause }) => `${server} ${check}: ${cause}`)
    return { lines, dry: { ...dry, text: flat(dry.text) } }
  }

  test('murder:doctor and a dry run say what is wrong, and change nothing', async () => {
    const { lab, project } = fleet
    fleet.plant()
    expect(await fleet.run()).toMatchObject({ code: 0 })
    fleet.plant(20)
    const fit = await look()
    expect(fit).toMatchObject({ lines: [], dry: { code: 0 } })
    expect(fit.dry.text).toMatch(/19\.\d MiB \(a delta\) would go from the deploy host to 4 servers/)

    const node = join(project.directory, 'node')
    const nowhere = `[ "$(hostname)" != server2 ] || exit 127`
    writeFileSync(node, `#!/bin/sh\n${nowhere}\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 })
    const lacking = await look({ MURDER_NODE: node })
    expect(lacking.lines).toEqual([`${fleet.label(1)} server: there is no Node.js: "${node}" does not run`])
    expect(lacking.dry.code).toBe(1)
    expect(lacking.dry.text).toContain('1 of 4 servers failed: a deploy would end here')
    const tolerant = await look({ MURDER_NODE: node, MURDER_TOLERATE: '1' })
    expect(tolerant.dry.code).toBe(0)
    expect(tolerant.dry.text).toContain('would go from the deploy host to 3 servers')

    const releases = `${deployTo}/releases`
    await lab.exec(fleet.server(1), ['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', releases])
    const full = await look()
    await lab.exec(fleet.server(1), ['umount', releases])
    expect(full.lines).toEqual([`${fleet.label(1)} disk: 4.0 MiB are free for releases`])
    expect(full.dry.code).toBe(1)
    expect(full.dry.text).toContain('the disk is too full')

    const astray = await look({ MURDER_ANNOUNCE: '10.77.200.200' })
    expect(astray.lines).toHaveLength(8)
    expect(astray.lines[0]).toBe(
      `${fleet.label(0)} tracker port: does not reach port 8998 of the deploy host: no way there`,
    )

    const { address } = lab.host('deploy')
    const down = await look({ MURDER_TRACKER_AT: `http://${address}:6969/announce` })
    expect(down.lines).toHaveLength(4)
    expect(down.lines[0]).toBe(
      `${fleet.label(0)} external tracker port: does not reach port 6969 of ${address}: the connection is refused`,
    )

    // Answers of that port do not leave: as a firewall that drops, for one of the others only.
    const rule = ['to', fleet.server(2).address, 'ipproto', 'tcp', 'sport', '6881-6999', 'blackhole']
    await lab.exec(fleet.server(1), ['ip', 'rule', 'add', ...rule])
    const blocked = await look()
    await lab.exec(fleet.server(1), ['ip', 'rule', 'del', ...rule])
    expect(blocked.lines).toEqual([
      `${fleet.label(2)} peer port: does not reach port 6881 of ${fleet.label(1)}: nothing answers`,
    ])
  })

  test.skipIf(!hasNft())('murder:doctor says that a firewall drops what says BitTorrent', async () => {
    fleet.plant()
    const { lab } = fleet
    // Behind a TCP header with timestamps, as all packets with content have it: its length byte, and as much as one match takes.
    const said = '@th,256,128 0x13426974546f7272656e742070726f74'
    const chain = 'add chain inet f c { type filter hook input priority 0; }'
    const rule = `add rule inet f c tcp sport 6881-6999 ${said} drop`
    const input = `add table inet f\n${chain}\n${rule}\n`
    await lab.exec(fleet.server(1), ['nft', '-f', '-'], { input })
    const { lines } = await look()
    await lab.exec(fleet.server(1), ['nft', 'flush', 'ruleset'])
    const mute =
      'the connection opens, but something on the way drops what has the text "BitTorrent protocol"'
    expect(lines).toHaveLength(4)
    for (const line of lines) expect(line.startsWith(fleet.label(1)) && line.endsWith(mute)).toBe(true)
  })

  test.skipIf(!hasNft())(
    'a firewall that drops what says BitTorrent on loopback, too, is named early',
    async () => {
      const { lab } = fleet
      const rule = 'meta l4proto tcp @th,256,128 0x13426974546f7272656e742070726f74 drop'
      fleet.plant(2)
      await addRules(lab, [fleet.server(1)], rule)
      const tolerant = await fleet.run({ MURDER_TOLERATE: '1', MURDER_REPORT: report() })
      expect(tolerant.code).toBe(0)
      expect(reported().leftOut).toEqual([fleet.label(1)])
      const cause = /^a firewall of this server drops .* on its loopback, too/
      expect(reported().servers[1]?.failure?.cause).toMatch(cause)
      expect(fleet.upToDate()).toEqual(['server1', 'server3', 'server4'])

      await addRules(lab, ['deploy'], rule)
      fleet.plant(2)
      const run = await fleet.run({ MURDER_STALL_TIMEOUT: '600', MURDER_REPORT: report() })
      await openAll(lab, [fleet.server(1), 'deploy'])
      expect(run.code).toBe(1)
      const causes = reported().servers.map(({ failure }) => failure?.cause)
      for (const cause of causes)
        expect(cause).toMatch(/^a firewall of the deploy host drops .* on its loopback, too/)
      expect(await fleet.quiet()).toEqual([])
    },
  )

  test('murder:doctor says that two servers are one machine, and what else is wrong', async () => {
    const { lab, project } = fleet
    fleet.plant()
    expect(await fleet.run()).toMatchObject({ code: 0 })
    const shipitfile = join(project.directory, 'shipitfile.js')
    const text = readFileSync(shipitfile, 'utf8')
    await lab.sshd(fleet.server(1), { port: 2222 })
    writeFileSync(shipitfile, text.replace(fleet.label(2), `${fleet.label(1)}:2222`))
    await lab.cut(fleet.server(3))
    const { lines, dry } = await look()
    writeFileSync(shipitfile, text)
    expect(lines).toEqual([
      `${fleet.label(3)} server: it did not answer within 10 s`,
      `${fleet.label(1)}:2222 servers: ${fleet.label(1)} and ${fleet.label(1)}:2222 are the same machine`,
    ])
    expect(dry.code).toBe(2)
    expect(dry.text).toContain('are the same machine — remove one of them from "servers"')
  })

  test('murder:doctor while a deploy runs knows whose the lock and the port of the tracker are', async () => {
    fleet.plant(10)
    const deploy = fleet.start({ MURDER_DOWNLOAD_LIMIT: '1M' })
    await fleet.seeding(deploy)
    const { code, text } = await fleet.run({ MURDER_OUTPUT: 'json' }, 'murder:doctor')
    expect(code).toBe(1)
    expect(text.match(/locked by root@deploy since \S+ deploy of production/g)).toHaveLength(4)
    expect(text).toContain('port 8998 is taken while a deploy runs: it was not tried')
    expect(await fleet.end(deploy)).toMatchObject({ code: 0 })
  })
})
