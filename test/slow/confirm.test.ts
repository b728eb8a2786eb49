import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DeployLab, deployTo, flat } from '../support/harness/lab-deploy.ts'
import type { LabHost } from '../support/lab/host.ts'
import { hasNft, labAvailable } from '../support/lab/lab.ts'

/** On the server: new connections to its sshd are dropped, and the open one lives on. */
const BLOCK =
  'nft add table inet t && nft add chain inet t c "{ type filter hook input priority 0; }" && nft add rule inet t c tcp dport 22 ct state new drop'
/** The open connection is dropped as well. */
const BLOCK_ALL = BLOCK.replace('ct state new drop', 'drop')
/** Seconds in which a server must be confirmed. */
const CONFIRM = { MURDER_CONFIRM: '4', MURDER_TIMEOUTS_CONNECT: '3' }
/** Where the commands of the user say what they did. */
const SAID = '/srv/said'

const say = (word: string) => `echo "${word} $MURDER_RELEASE" >>${SAID}`
const OPEN = `nft delete table inet t 2>/dev/null; ${say('undo')}`

describe.skipIf(!labAvailable() || !hasNft())('a release that is to be confirmed', () => {
  let fleet: DeployLab
  let before: (string | undefined)[]

  beforeAll(async () => {
    fleet = await DeployLab.of(2)
  })
  afterAll(() => fleet?.lab.destroy())
  beforeEach(async () => {
    await fleet.reset()
    for (const server of fleet.servers) {
      await fleet.lab.exec(server, ['nft', 'flush', 'ruleset'])
      rmSync(server.outside(SAID), { force: true })
    }
    fleet.plant()
    expect(await fleet.run()).toMatchObject({ code: 0 })
    before = fleet.lives()
    fleet.plant()
  })

  const said = (server: LabHost) =>
    existsSync(server.outside(SAID)) ? readFileSync(server.outside(SAID), 'utf8').trim().split('\n') : []
  const name = (link: string | undefined) => link?.replace('releases/', '')
  const guards = () =>
    fleet.servers.flatMap((server) =>
      fleet.list(server, `${deployTo}/shared/murder`).filter((each) => each.startsWith('guard')),
    )
  const gone = () => expect.poll(guards, { timeout: 60_000 }).toEqual([])
  /** `script` on the second server alone. */
  const onSecond = (script: string) => `[ "$(hostname)" != server2 ] || { ${script}; }`

  test('stays once a new connection has reached it', async () => {
    const report = join(fleet.lab.directory, 'confirmed.json')
    const run = await fleet.run({ ...CONFIRM, MURDER_ACTIVATE: say('activate'), MURDER_REPORT: report })
    expect(run).toMatchObject({ code: 0 })
    expect(run.text).toContain('Confirmed 2 servers over new connections')
    expect(fleet.upToDate()).toHaveLength(2)
    expect(guards()).toEqual([])
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
      wentBack: [],
      servers: [{ confirmed: true }, { confirmed: true }],
    })
    const status = await fleet.run({}, 'murder:status')
    expect(status.text).not.toContain('Not confirmed')
    expect(await fleet.quiet()).toEqual([])
    const dry = await fleet.run({ ...CONFIRM, MURDER_DRY_RUN: '1' })
    expect(dry.text).toContain('over a new connection within 4 s, or a guard goes back')
  })

  test.each([
    // Longer than there is to confirm.
    ['new connections', BLOCK, '10'],
    ['all of SSH', BLOCK_ALL, '3'],
  ])('a release that blocks %s goes back by itself, and the others with it', async (_, block, connect) => {
    const activate = `${say('activate')}; ${onSecond(block)}`
    const report = join(fleet.lab.directory, 'blocked.json')
    const own = { MURDER_TIMEOUTS_CONNECT: connect, MURDER_TIMEOUTS_HOOK: '10', MURDER_REPORT: report }
    const env = { ...CONFIRM, ...own, MURDER_UNDO: OPEN }
    const run = await fleet.run({ ...env, MURDER_ACTIVATE: `[ -e ../no ] || { ${activate}; }` })
    expect(run.code, run.text).toBe(1)
    expect(fleet.lives()).toEqual(before)
    const [, blocked] = fleet.servers as [LabHost, LabHost]
    expect(said(blocked).slice(-1)).toEqual([`undo ${name(before[1])}`])
    expect(said(blocked)).toContain(`activate ${name(before[1])}`)
    await gone()
    expect(flat(run.text)).toMatch(/1 of 2 servers failed: every server has what it had before/)
    expect(run.text).not.toContain('interrupted')
    // Nobody is shut out: the next deploy reaches all.
    expect(await fleet.run(CONFIRM)).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toHaveLength(2)
  })

  test('kill -9 of the deploy: at whatever moment of a group, that goes back by itself', async () => {
    for (const moment of ['MURDER_ACTIVATE', 'MURDER_ROLLOUT_AFTER']) {
      rmSync(fleet.server(0).outside(SAID), { force: true })
      const hang = `${say(moment)}; [ -e ${deployTo}/go ] || { touch ${deployTo}/go; sleep 3; }`
      const deploy = fleet.start({ ...CONFIRM, [moment]: hang, MURDER_UNDO: say('undo') })
      await expect.poll(() => said(fleet.server(0)).length, { timeout: 60_000 }).toBeGreaterThan(0)
      const release = name(fleet.live(fleet.server(0)))
      expect(release).not.toBe(name(before[0]))
      deploy.kill('SIGKILL')
      await deploy.ended
      const status = await fleet.run({}, 'murder:status')
      expect(status.text).toContain(`Not confirmed yet, and about to go back: ${release}, on all of them`)
      await gone()
      expect(fleet.lives()).toEqual(before)
      expect(said(fleet.server(0)).slice(-1)[0]).toMatch(
        moment === 'MURDER_ACTIVATE' ? /^undo/ : /^MURDER_ROLLOUT_AFTER|^undo/,
      )
      const history = await fleet.run({}, 'murder:history')
      // One row, or one for each server: guards go back by the clocks of their servers.
      expect(flat(history.text)).toMatch(/reverted \d{14} (all 2|root@\S+) \S+ \(not confirmed\)/)
      for (const server of fleet.servers) await fleet.lab.exec(server, ['rm', '-f', `${deployTo}/go`])
    }
    expect(await fleet.quiet(60)).toEqual([])
  })

  test('a newer release that was published in between stays', async () => {
    const deploy = fleet.start({
      ...CONFIRM,
      MURDER_CONFIRM: '20',
      MURDER_HEALTH_CHECK: 'touch asked; sleep 60',
    })
    const isAsked = () => fleet.list(fleet.server(0), `${deployTo}/current`).includes('asked')
    await expect.poll(isAsked, { timeout: 60_000 }).toBe(true)
    deploy.kill('SIGKILL')
    await deploy.ended
    fleet.plant()
    const run = await fleet.run({ MURDER_DELTAS: 'false' })
    expect(run).toMatchObject({ code: 0 })
    expect(flat(run.text)).toMatch(
      /, root@\S+: \d{14} of \S+ since \S+ was not confirmed; a guard takes it back once/,
    )
    const newer = fleet.lives()
    await gone()
    await new Promise((resolve) => setTimeout(resolve, 3000))
    expect(fleet.lives()).toEqual(newer)
    expect(fleet.upToDate()).toHaveLength(2)
  })

  test('each group is confirmed before the next, and a rollback too; a first deploy that is cut off leaves nothing live', async () => {
    const groups = { ...CONFIRM, MURDER_BATCH: '1', MURDER_UNDO: OPEN, MURDER_TIMEOUTS_HOOK: '10' }
    const run = await fleet.run(groups)
    expect(run.text.match(/Confirmed 1 server over new connections/g)).toHaveLength(2)
    expect(run.text.indexOf('Confirmed 1 server')).toBeLessThan(run.text.indexOf('Publishing group 2'))
    const now = fleet.lives()
    const back = await fleet.run({ ...groups, MURDER_ACTIVATE: onSecond(BLOCK) }, 'rollback')
    expect(back.code, back.text).toBe(1)
    expect(fleet.lives()).toEqual(now)
    const rollback = await fleet.run(groups, 'rollback')
    expect(rollback).toMatchObject({ code: 0 })
    expect(rollback.text.match(/Confirmed 1 server/g)).toHaveLength(2)
    await fleet.reset()
    fleet.plant()
    const first = await fleet.run({ ...groups, MURDER_ACTIVATE: onSecond(BLOCK) })
    expect(first.code, first.text).toBe(1)
    expect(fleet.lives()).toEqual([undefined, undefined])
    await gone()
  })
})
