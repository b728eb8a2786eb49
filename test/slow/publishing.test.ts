import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DeployLab, deployTo, flat } from '../support/harness/lab-deploy.ts'
import type { LabHost } from '../support/lab/host.ts'
import { labAvailable } from '../support/lab/lab.ts'

/** Programs that a server finds before all others. */
const BIN = '/srv/bin'

describe.skipIf(!labAvailable())('publishing that is disturbed', () => {
  let fleet: DeployLab
  let before: ReturnType<typeof state>

  beforeAll(async () => {
    fleet = await DeployLab.of(3, { config: [`SetEnv PATH=${BIN}:${process.env.PATH}`] })
    const shipitfile = join(fleet.project.directory, 'shipitfile.js')
    const hook = `shipit.blTask('pause', () => new Promise((resolve) => setTimeout(resolve, Number(process.env.PAUSE))))
  if (process.env.PAUSE) shipit.on('updated', () => shipit.start('pause'))`
    writeFileSync(shipitfile, readFileSync(shipitfile, 'utf8').replace(/^}$/m, `  ${hook}\n}`))
  })
  afterAll(() => fleet?.lab.destroy())
  beforeEach(async () => {
    fleet.plant()
    expect(await fleet.run()).toMatchObject({ code: 0 })
    before = state()
    fleet.plant()
  })
  afterEach(async () => {
    for (const server of fleet.servers) rmSync(server.outside(BIN), { recursive: true, force: true })
    await fleet.reset()
  })

  const state = () =>
    fleet.servers.map((server) => ({
      live: fleet.live(server),
      releases: fleet.list(server, `${deployTo}/releases`),
      beside: fleet.list(server, deployTo),
    }))

  /** The link is replaced late there. Resolves when it is about to be. */
  function slowly(server: LabHost): { begun: () => Promise<void> } {
    mkdirSync(server.outside(BIN), { recursive: true })
    const wait = `case "$*" in *.current-*) : >${BIN}/begun; sleep 2;; esac`
    writeFileSync(server.outside(`${BIN}/mv`), `#!/bin/sh\n${wait}\nexec /bin/mv "$@"\n`, { mode: 0o755 })
    const begun = () => expect.poll(() => fleet.list(server, BIN), { timeout: 20_000 }).toContain('begun')
    return { begun: () => begun() as unknown as Promise<void> }
  }

  const breakConnection = (server: LabHost) =>
    fleet.lab.exec(server, ['pkill', '-9', '-f', 'sshd.*root@notty'], { anyExit: true })

  test('Ctrl-C waits for what publishes, which is then all or nothing', async () => {
    const { begun } = slowly(fleet.server(1))
    const late = fleet.start()
    await begun()
    late.kill('SIGINT')
    const { code, text } = await fleet.end(late)
    expect(code).toBe(130)
    expect(text).toContain('Interrupted — the release is published, old ones may still be there')
    expect(fleet.upToDate()).toHaveLength(3)
    expect(await fleet.quiet()).toEqual([])

    const now = state()
    rmSync(fleet.server(1).outside(`${BIN}/begun`))
    fleet.plant()
    const between = fleet.start({ MURDER_BATCH: '2' })
    await begun()
    between.kill('SIGHUP') // The terminal is closed.
    const taken = await fleet.end(between)
    expect(taken.code).toBe(130)
    expect(taken.text).toContain('Interrupted — every server has what it had before')
    expect(await fleet.quiet()).toEqual([])
    expect(state()).toEqual(now)
  })

  test('Ctrl-C while a health check or a task of another plugin runs', async () => {
    const checked = fleet.start({ MURDER_BATCH: '2', MURDER_HEALTH_CHECK: ': >checked; sleep 5' })
    const isChecked = () => fleet.list(fleet.server(1), `${deployTo}/current`).includes('checked')
    await expect.poll(isChecked, { timeout: 20_000 }).toBe(true)
    checked.kill('SIGINT')
    const { code, text } = await fleet.end(checked)
    expect(code).toBe(130)
    expect(text).toContain('Interrupted — every server has what it had before')
    expect(await fleet.quiet()).toEqual([])
    expect(state()).toEqual(before)

    const paused = fleet.start({ PAUSE: '5000' })
    await paused.line(/'pause'/)
    paused.kill('SIGINT')
    const other = await fleet.end(paused)
    expect(other.code).toBe(130)
    expect(other.text).toContain('Interrupted — what was done until now stays')
    expect(await fleet.quiet()).toEqual([])
    expect(fleet.lives()).toEqual(before.map(({ live }) => live))
  })

  test('the connection to a server breaks while it publishes, and again while a group is checked', async () => {
    const { begun } = slowly(fleet.server(1))
    const broken = fleet.start()
    await begun()
    await breakConnection(fleet.server(1))
    expect(await fleet.end(broken)).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(3)

    const now = state()
    rmSync(fleet.server(1).outside(`${BIN}/begun`))
    fleet.plant()
    const sick = fleet.start({ MURDER_BATCH: '2', MURDER_HEALTH_CHECK: '[ "$(hostname)" != server3 ]' })
    await begun()
    await breakConnection(fleet.server(1))
    const { code, text } = await fleet.end(sick)
    expect(code).toBe(1)
    expect(text).toContain('1 of 3 servers failed: every server has what it had before')
    expect(text.slice(text.indexOf('Publishing'))).not.toContain('check: ')
    expect(await fleet.quiet()).toEqual([])
    expect(state()).toEqual(now)
  })

  test('the lock is broken and taken by somebody else between two groups: all is taken back, theirs stays', async () => {
    const go = `${deployTo}/shared/go`
    const deploy = fleet.start({
      MURDER_BATCH: '1',
      MURDER_HEALTH_CHECK: `until [ -e ${go} ]; do sleep 0.1; done`,
    })
    await deploy.line(/Publishing group 1/)
    expect(await fleet.run({}, 'murder:unlock')).toMatchObject({ code: 0 })
    expect(await fleet.run({ MURDER_LOCK_REASON: 'a migration' }, 'murder:lock')).toMatchObject({ code: 0 })
    for (const server of fleet.servers) await fleet.lab.exec(server, ['touch', go])
    const { code, text } = await fleet.end(deploy)
    for (const server of fleet.servers) await fleet.lab.exec(server, ['rm', go])
    expect(code).toBe(1)
    expect(flat(text)).toContain('somebody else has taken the lock meanwhile')
    expect(state()).toEqual(before)
    const status = await fleet.run({}, 'murder:lock:status')
    expect(status.text.match(/a migration/g)).toHaveLength(3)
    const again = await fleet.run({}, 'murder:lock')
    expect(again).toMatchObject({
      code: 0,
      text: expect.stringContaining('3 servers were locked already:'),
    })
    expect(again.text).not.toContain('Locked 0')
    expect(await fleet.run({}, 'murder:unlock')).toMatchObject({ code: 0 })
  })

  test('kill -9 of the deploy between two groups: the next deploy brings all in step', async () => {
    const deploy = fleet.start({ MURDER_BATCH: '1', MURDER_HEALTH_CHECK: 'sleep 2' })
    await deploy.line(/Publishing group 2/)
    deploy.kill('SIGKILL')
    await deploy.ended
    expect(new Set(fleet.lives()).size).toBe(2)
    expect(await fleet.run()).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(3)
    expect(await fleet.quiet(60)).toEqual([])
  })

  test('a server that was cut off and given up while it published does not publish when it is back', async () => {
    const deploy = fleet.start({ MURDER_BATCH: '2', MURDER_HEALTH_CHECK: 'sleep 3' })
    await deploy.line(/Publishing group 1/)
    const [, , lost] = fleet.servers as [LabHost, LabHost, LabHost]
    await fleet.lab.cut(lost)
    const { code, text } = await fleet.end(deploy)
    await fleet.lab.restore(lost)
    expect(code).toBe(1)
    expect(flat(text)).toContain(`all servers have what they had before, but ${fleet.label(2)}`)
    // TCP tries again after as long as it has waited already: only then the server hears that its connection is gone, and until
    // then the lock may be there, for its two minutes. No program and no release may.
    expect((await fleet.quiet(60)).filter((left) => left !== 'lock')).toEqual([])
    expect(await fleet.quiet(60)).toEqual([])
    expect(fleet.lives()).toEqual(before.map(({ live }) => live))
    expect(state().slice(0, 2)).toEqual(before.slice(0, 2))
    expect(await fleet.run()).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(3)
  })

  test('murder:retry also where the release is there, unpublished: nobody could reach the server to remove it', async () => {
    const healthCheck = '[ "$(hostname)" != server3 ]'
    const tolerant = await fleet.run({ MURDER_TOLERATE: '1', MURDER_HEALTH_CHECK: healthCheck })
    expect(tolerant.code).toBe(0)
    const [release] = fleet.lives()
    expect(fleet.lives()).toEqual([release, release, before[2]?.live])
    mkdirSync(fleet.server(2).outside(`${deployTo}/${release}/left`), { recursive: true })
    expect(await fleet.run({}, 'murder:retry')).toMatchObject({ code: 0 })
    expect(fleet.lives()).toEqual([release, release, release])
    expect(fleet.upToDate()).toHaveLength(3)
    expect(fleet.list(fleet.server(2), `${deployTo}/${release}`)).not.toContain('left')
  })

  test('with revert off it is known who has published, and murder:retry does the others', async () => {
    const report = join(fleet.lab.directory, 'revert-off.json')
    const sick = {
      MURDER_BATCH: '1',
      MURDER_HEALTH_CHECK: '[ "$(hostname)" != server2 ]',
      MURDER_REVERT: 'false',
    }
    const failed = await fleet.run({ ...sick, MURDER_REPORT: report })
    expect(failed.code).toBe(1)
    expect(failed.text).toContain('stays where it was published')
    const [release] = fleet.lives()
    expect(fleet.lives()).toEqual([release, release, before[2]?.live])
    const { published, servers } = JSON.parse(readFileSync(report, 'utf8'))
    expect(published).toBe(true)
    expect(servers.map((server: { published: boolean }) => server.published)).toEqual([true, true, false])
    const retried = await fleet.run({}, 'murder:retry')
    expect(retried.text).toContain(`to ${fleet.label(2)}`)
    expect(retried.code).toBe(0)
    expect(fleet.lives()).toEqual([release, release, release])
    expect((await fleet.run({}, 'murder:retry')).text).toContain(
      'No server lacks the release of the last deploy',
    )
  })
})
