import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Project } from '../../bench/deploy/project.ts'
import { DeployLab, deployTo } from '../support/harness/lab-deploy.ts'
import type { LabHost } from '../support/lab/host.ts'
import { type Lab, labAvailable } from '../support/lab/lab.ts'

type Report = { seederUploaded: number; servers: { fromSeeder: number }[] }
/** Slow enough to do something in the middle of a transfer of `large`. */
const slow = { MURDER_DOWNLOAD_LIMIT: '3M' }

describe.skipIf(!labAvailable())('deploys with faults, in a lab of four servers', () => {
  let fleet: DeployLab
  let lab: Lab
  let project: Project

  beforeAll(async () => {
    fleet = await DeployLab.of(4)
    lab = fleet.lab
    project = fleet.project
    // Before publishing, what a test has put into the file `updated` is run.
    const shipitfile = join(project.directory, 'shipitfile.js')
    const hook = `shipit.on('updated', () => require('child_process').execSync('sh ./updated'))`
    writeFileSync(shipitfile, readFileSync(shipitfile, 'utf8').replace(/^}$/m, `  ${hook}\n}`))
  })
  afterAll(() => fleet?.lab.destroy())
  afterEach(() => fleet.reset())

  function plant(megabytes = 0): void {
    writeFileSync(join(project.directory, 'updated'), '')
    fleet.plant(megabytes)
  }

  const start = (env: Record<string, string> = {}, task = 'deploy') => fleet.start(env, task)
  const run = (env: Record<string, string> = {}, task = 'deploy') => fleet.run(env, task)
  const server = (index: number) => fleet.server(index)
  const live = (at: LabHost) => fleet.live(at)
  const lives = () => fleet.lives()
  const list = (at: LabHost, path: string) => fleet.list(at, path)
  const quiet = (seconds?: number, except?: LabHost[]) => fleet.quiet(seconds, except)
  const content = (at: LabHost) => readFileSync(at.outside(`${deployTo}/${live(at)}/file`), 'hex')
  const wanted = () => readFileSync(join(project.workspace, 'file'), 'hex')

  test('of two deploys at once the second is refused; the lock ends with its owner, also by kill -9', async () => {
    plant(50)
    const first = start({ MURDER_DOWNLOAD_LIMIT: '256K' }) // It is not done before it is killed.
    await first.line(/^transfer [1-9]/)
    const second = await run()
    expect(second.code).toBe(1)
    expect(second.text.replace(/\s+/g, ' ')).toMatch(
      /and 3 more are locked by root@deploy since \S+ \(\d.* ago\): deploy of production .*npx shipit production murder:unlock/,
    )
    const status = await run({}, 'murder:lock:status')
    expect(status.text.match(/root@deploy .*deploy of production/g)).toHaveLength(4)
    first.kill('SIGKILL')
    await first.ended
    expect(await run()).toMatchObject({ code: 0 })
    expect(lab.servers.map(content)).toEqual(Array(4).fill(wanted()))
    expect(await quiet(60)).toEqual([])

    const locked = await run({ MURDER_LOCK_REASON: 'a migration' }, 'murder:lock')
    expect(locked).toMatchObject({ code: 0 })
    const refused = await run({}, 'rollback')
    expect(refused.code).toBe(1)
    expect(refused.text).toContain('a migration')
    expect(await run({}, 'murder:unlock')).toMatchObject({ code: 0 })
    expect(await run()).toMatchObject({ code: 0 })
  })

  test('a server dies: by default nothing is published; tolerated, it is left out, reported, and retried', async () => {
    plant(20)
    const report = join(lab.directory, 'report.json')
    const env = { ...slow, MURDER_STALL_TIMEOUT: '3', MURDER_TOLERATE: '1', MURDER_REPORT: report }
    const tolerant = start(env)
    await tolerant.line(/^transfer [1-9]/)
    await lab.cut(server(1))
    expect(await tolerant.ended).toMatchObject({ code: 0 })
    // The others did not wait until nothing could be removed from it, either.
    expect(tolerant.stdout).toMatch(/Release published\.[\s\S]*could not be removed/)
    const [release] = lives()
    expect(release).toMatch(/^releases\/\d+$/)
    expect(lives()).toEqual([release, undefined, release, release])
    const { servers, leftOut, published, exitCode, phases } = JSON.parse(readFileSync(report, 'utf8'))
    const label = `root@${server(1).address}`
    expect({ leftOut, published, exitCode }).toEqual({ leftOut: [label], published: true, exitCode: 0 })
    for (const each of servers) {
      const failed = each.server === label
      expect(each).toMatchObject({
        outcome: failed ? 'failed' : 'done',
        address: expect.stringMatching(/:22$/),
      })
      if (failed) expect(each.failure).toMatchObject({ step: 'transfer', cause: expect.any(String) })
      // The others waited for it there, and not in publishing.
      if (failed) expect(phases.transfer).toBeGreaterThan(each.steps.transfer - 1)
      else expect(each.received).toBe(each.fromSeeder + each.fromPeers)
      if (!failed) expect(each.received).toBeGreaterThan(20_000_000)
    }
    const kept = readdirSync(join(project.directory, '.shipit-murder/logs'))
    expect(kept.map((name) => name.split('.').at(-1)).sort()).toEqual(['html', 'log'])

    await lab.restore(server(1))
    const retried = await run({}, 'murder:retry')
    expect(retried.code).toBe(0)
    expect(lives()).toEqual([release, release, release, release])
    expect(retried.text).toContain('1 of 1 done')
    expect((await run({}, 'murder:retry')).text).toContain('No server lacks the release of the last deploy')

    plant(20)
    const strict = start({ ...slow, MURDER_STALL_TIMEOUT: '3' })
    await strict.line(/^transfer [4-9]\d%/)
    await lab.cut(server(2))
    expect(await strict.ended).toMatchObject({ code: 1 })
    expect(lives()).toEqual([release, release, release, release])
    await lab.restore(server(2))
    expect(await run({}, 'murder:retry')).toMatchObject({ code: 0 })
    expect(lab.servers.map(content)).toEqual(Array(4).fill(wanted()))
    expect(await quiet(60)).toEqual([])
  })

  test('a server is cut off for a while; seeder and tracker are killed: all finish', async () => {
    plant(30)
    const file = join(lab.directory, 'killed.json')
    const program = start({ ...slow, MURDER_STALL_TIMEOUT: '40', MURDER_REPORT: file })
    await program.line(/^transfer [1-9]/)
    await lab.cut(server(3))
    await lab.exec('deploy', ['pkill', '-9', '-f', 'murder.mjs seed '])
    await program.line(/seeder ended early.*it is started again/)
    await lab.exec('deploy', ['pkill', '-9', '-f', 'murder.mjs tracker '])
    await program.line(/tracker ended early.*it is started again/)
    await new Promise((resolve) => setTimeout(resolve, 5000)) // This long it is away.
    await lab.restore(server(3))
    expect(await program.ended).toMatchObject({ code: 0 })
    const { seederUploaded, servers } = JSON.parse(readFileSync(file, 'utf8')) as Report
    const had = servers.reduce((sum, { fromSeeder }) => sum + fromSeeder, 0)
    expect(seederUploaded).toBeGreaterThanOrEqual(had)
    expect(lab.servers.map(content)).toEqual(Array(4).fill(wanted()))
    expect(await quiet()).toEqual([])
  })

  test('a deploy that is suspended for longer than servers wait ends well', async () => {
    plant(24)
    const program = start({ ...slow, MURDER_STALL_TIMEOUT: '10' })
    await program.line(/^transfer [2-9]\d%/)
    // All that runs there but what sends the signal.
    await lab.exec('deploy', ['sh', '-c', 'kill -STOP -1'])
    await new Promise((resolve) => setTimeout(resolve, 40_000))
    await lab.exec('deploy', ['sh', '-c', 'kill -CONT -1'])
    program.child.kill('SIGCONT') // The way into the lab stops with what it has started.
    expect(await program.ended).toMatchObject({ code: 0 })
    expect(lab.servers.map(content)).toEqual(Array(4).fill(wanted()))
    expect(await quiet()).toEqual([])
  })

  test('publishing fails on one server: the others have what they had, and so after a failed health check', async () => {
    plant()
    expect(await run()).toMatchObject({ code: 0 })
    const before = lives()
    plant()
    const current = server(2).outside(`${deployTo}/current`)
    writeFileSync(join(project.directory, 'updated'), `rm ${current} && mkdir ${current}\n`)
    const failed = await run()
    expect(failed.code).toBe(1)
    expect(failed.text).not.toContain('Release published')
    expect(failed.text.replace(/\s+/g, ' ')).toContain('is a directory, not a link')
    expect(failed.text).toContain('1 of 4 servers failed: every server has what it had before')
    expect(lives()).toEqual([before[0], before[1], undefined, before[3]])
    expect(lab.servers.map((at) => list(at, `${deployTo}/releases`).length)).toEqual([1, 1, 1, 1])
    await rm(current, { recursive: true })
    writeFileSync(join(project.directory, 'updated'), '')

    const healthCheck = `! [ "$(hostname)" = ${server(1).name} ] || { echo sick >&2; false; }`
    const sick = await run({ MURDER_BATCH: '1', MURDER_HEALTH_CHECK: healthCheck })
    expect(sick.code).toBe(1)
    expect(sick.text).toMatch(new RegExp(`^root@${server(1).address} +health +sick`, 'm'))
    expect(sick.text).toContain('Publishing group 2 of 4')
    expect(sick.text).not.toContain('Publishing group 3 of 4')
    expect(lives()).toEqual([before[0], before[1], undefined, before[3]])

    const tolerated = await run({ MURDER_BATCH: '1', MURDER_HEALTH_CHECK: healthCheck, MURDER_TOLERATE: '1' })
    expect(tolerated.code).toBe(0)
    expect(lives()[1]).toBe(before[1])
    expect(new Set([lives()[0], lives()[2], lives()[3]]).size).toBe(1)
    expect(await quiet()).toEqual([])
  })

  test('servers with different releases: rolled back, and cleaned without the live ones', async () => {
    plant()
    expect(await run()).toMatchObject({ code: 0 })
    const [first] = lives()
    await rm(server(3).outside(deployTo), { recursive: true })
    plant()
    expect(await run()).toMatchObject({ code: 0 })
    const back = await run({}, 'rollback')
    expect(back.code).toBe(0)
    expect(lives()).toEqual(Array(4).fill(first))
    expect(lab.servers.map(content)).toEqual(Array(4).fill(content(server(0))))
    expect(await quiet()).toEqual([])
  })

  test('odd machines: other login shells, a banner, umask, read-only and noexec temporary directories, another day', async () => {
    plant()
    const skewed = join(lab.directory, 'node-tomorrow')
    const preload = join(lab.directory, 'tomorrow.cjs')
    writeFileSync(preload, 'const now = Date.now; Date.now = () => now() + 86400000\n')
    writeFileSync(
      skewed,
      `#!/bin/sh\n[ "$(hostname)" = server1 ] && set -- --require '${preload}' "$@"\nexec '${process.execPath}' "$@"\n`,
    )
    chmodSync(skewed, 0o755)
    const shells = ['/usr/bin/fish', '/bin/csh', '/bin/bash', '/bin/bash']
    for (const [index, shell] of shells.entries()) {
      const passwd = server(index).outside('/srv/passwd')
      const text = readFileSync('/etc/passwd', 'utf8').replace(/^(root:.*:)[^:]*$/m, `$1${shell}`)
      writeFileSync(passwd, text)
      await lab.exec(server(index), ['mount', '--bind', '/srv/passwd', '/etc/passwd'])
    }
    await lab.exec(server(2), [
      'sh',
      '-c',
      'printf "umask 077\\necho Welcome; echo Beware >&2\\n" > ~/.bashrc',
    ])
    await lab.exec(server(2), ['mount', '-t', 'tmpfs', '-o', 'noexec', 'tmpfs', '/tmp'])
    await lab.exec(server(3), ['mount', '-t', 'tmpfs', '-o', 'ro', 'tmpfs', '/tmp'])
    const deployed = await run({ MURDER_NODE: skewed })
    expect(deployed.code).toBe(0)
    expect(lab.servers.map(content)).toEqual(Array(4).fill(wanted()))
  })
})
