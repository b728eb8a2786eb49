import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DeployLab, deployTo } from '../support/harness/lab-deploy.ts'
import { hasNft, labAvailable } from '../support/lab/lab.ts'

/** Seconds in which a server must be confirmed. */
const CONFIRM_S = 8

/** A release shuts its deploy host out of one server, and before that is over, another machine deploys. */
describe.skipIf(!labAvailable() || !hasNft())('a release that is to be confirmed, and a newer one', () => {
  let fleet: DeployLab
  let other: string
  let before: (string | undefined)[]

  beforeAll(async () => {
    fleet = await DeployLab.of(2, { strangers: 1 })
    other = join(fleet.lab.directory, 'other')
    const { directory, workspace } = fleet.project
    mkdirSync(join(other, 'workspace'), { recursive: true })
    symlinkSync(join(process.cwd(), 'node_modules'), join(other, 'node_modules'))
    cpSync(join(directory, 'package.json'), join(other, 'package.json'))
    const text = readFileSync(join(directory, 'shipitfile.js'), 'utf8')
    writeFileSync(join(other, 'shipitfile.js'), text.replaceAll(workspace, join(other, 'workspace')))
  })
  afterAll(() => fleet?.lab.destroy())
  beforeEach(async () => {
    await fleet.reset()
    for (const server of fleet.servers) await fleet.lab.exec(server, ['nft', 'flush', 'ruleset'])
    rmSync(join(other, '.shipit-murder'), { recursive: true, force: true })
    fleet.plant()
    expect(await fleet.run()).toMatchObject({ code: 0 })
    before = fleet.lives()
    fleet.plant()
  })

  /** The second server drops what comes from the deploy host. */
  const shutOut = (what: string) =>
    `[ "$(hostname)" != server2 ] || { nft add table inet t && nft add chain inet t c "{ type filter hook input priority 0; }" && nft add rule inet t c ip saddr ${fleet.lab.deployHost.address} tcp dport 22 ${what} drop && touch ${deployTo}/shut; }`
  const isShut = () => fleet.list(fleet.server(1), deployTo).includes('shut')
  /** A call on the other machine. */
  const there = (task: string, env: Record<string, string> = {}) =>
    fleet.end(
      fleet.lab.spawn(
        fleet.strangers[0]?.name ?? '',
        [process.execPath, 'node_modules/.bin/shipit', 'production', task],
        { cwd: other, env },
      ),
    )
  const contents = () =>
    fleet.servers.map((server) =>
      readFileSync(server.outside(`${deployTo}/${fleet.live(server)}/file`), 'utf8'),
    )
  const guards = () =>
    fleet.servers.flatMap((server) =>
      fleet.list(server, `${deployTo}/shared/murder`).filter((each) => each.startsWith('guard')),
    )

  test.each([
    { what: 'new connections, and it waits', drop: 'ct state new' },
    { what: 'new connections, and it was killed', drop: 'ct state new', kills: true },
    { what: 'all of SSH, and it was killed', drop: '', kills: true },
    { what: 'new connections; it is confirmed as well', drop: 'ct state new', confirms: true },
    { what: 'all of SSH; it comes while the guard goes back', drop: '', afterS: CONFIRM_S + 1 },
  ])('the deploy host is shut out of $what: what another machine has published stays', async (each) => {
    const { drop, kills = false, confirms = false, afterS = 0 } = each
    const first = fleet.start({
      MURDER_CONFIRM: String(CONFIRM_S),
      MURDER_TIMEOUTS_CONNECT: '3',
      MURDER_TIMEOUTS_HOOK: '10',
      MURDER_ACTIVATE: `[ -e ${deployTo}/shut ] || { ${shutOut(drop)}; }`,
      MURDER_UNDO: 'sleep 4',
    })
    await expect.poll(isShut, { timeout: 60_000 }).toBe(true)
    if (kills) first.kill('SIGKILL')
    await sleep(afterS * 1000)
    writeFileSync(join(other, 'workspace/file'), `newer than ${String(before)}`)
    const env: Record<string, string> = confirms ? { MURDER_CONFIRM: '5', MURDER_TIMEOUTS_CONNECT: '3' } : {}
    const refused: string[] = []
    for (;;) {
      await there('murder:unlock')
      const { code, text } = await there('deploy', env)
      if (code === 0) break
      refused.push(text)
      // What stops it is the lock, of the first deploy or of a guard that goes back; nothing of it is live then.
      expect(text).toMatch(/lock/i)
      expect(contents().join()).not.toContain('newer')
      expect(refused.length, text).toBeLessThan(40)
      await sleep(1000)
    }
    const newer = fleet.lives()
    expect(contents()).toEqual(fleet.servers.map(() => `newer than ${String(before)}`))
    const { code } = await fleet.end(first)
    expect(kills ? null : 1).toBe(code)
    await expect.poll(guards, { timeout: 60_000 }).toEqual([])
    await sleep((CONFIRM_S + 6) * 1000)
    expect(fleet.lives()).toEqual(newer)
    const status = await there('murder:status')
    expect(status.text).not.toContain('ot confirmed')
    expect((await there('deploy')).code).toBe(0)
  })
})
