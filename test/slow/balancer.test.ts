import { existsSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MurderSettings } from '../../src/config/schema.ts'
import { ACTIVATE, BalancedFleet, canBalance } from '../support/harness/balanced-fleet.ts'
import { type Balancer, haproxy, nginx } from '../support/harness/balancer.ts'
import { deployTo, type Ended, flat } from '../support/harness/lab-deploy.ts'
import type { LabProcess } from '../support/lab/process.ts'

/** On the server: its sshd takes no connection any more. The open ones live on. */
const BLOCK =
  'nft add table inet t && nft add chain inet t c "{ type filter hook input priority 0; }" && nft add rule inet t c tcp dport 22 ct state new drop'

/** Once, on a server of the second group: something that takes long has begun. */
const GO = `${deployTo}/shared/go`
const HANG = `[ "$(hostname)" != server2 ] || [ -e ${GO} ] || { touch ${GO}; sleep 6; }`

type Moment = [moment: string, settings: (hooks: NonNullable<MurderSettings['rollout']>) => MurderSettings]

/** When a deploy ends early. */
const MOMENTS: Moment[] = [
  ['before the swap', ({ before = ':' }) => ({ rollout: { before: `${before}\n${HANG}` } })],
  ['after the swap', () => ({ activate: `${ACTIVATE}\n${HANG}` })],
  ['in the health check', () => ({ healthCheck: HANG })],
  ['before the end of after', ({ after = ':' }) => ({ rollout: { after: `${HANG}\n${after}` } })],
  ['in the pause', () => ({ rollout: { pause: 6 } })],
]

/** Which balancer it is matters where a server is out of service, and where none is: so the second one has two of them. */
const momentsFor = ({ program }: Balancer) =>
  MOMENTS.filter(([moment]) => program === 'haproxy' || ['after the swap', 'in the pause'].includes(moment))

for (const [balancer, servers] of [
  [haproxy, 6],
  [nginx, 4],
] as const)
  describe.skipIf(!canBalance(balancer))(`a rollout behind ${balancer.program}, under load`, () => {
    let fleet: BalancedFleet

    beforeAll(async () => {
      fleet = await BalancedFleet.of(balancer, servers)
    })
    afterAll(() => fleet?.lab.lab.destroy())
    beforeEach(async () => {
      fleet.plant()
      expect(await fleet.out()).toEqual([])
      for (const server of fleet.lab.servers) await fleet.lab.lab.exec(server, ['rm', '-f', GO])
    })

    const run = (...tasks: string[]): Promise<Ended> => fleet.lab.run({}, ...tasks)
    const isGo = () => existsSync(fleet.lab.server(1).outside(GO))
    /** It fails on the second server with the planted version, until that has the file. */
    const ill = () => `[ "$(hostname)" != server2 ] || [ -e ${GO} ] || ! grep -q "${fleet.planted} " version`
    const isInService = async () => {
      expect(await fleet.out()).toEqual([])
      expect((await run('murder:lock:status')).text).not.toContain('left out')
    }

    test('three groups, and a rollback in the same ones: no request fails', async () => {
      fleet.configure()
      const { result, failed, requests } = await fleet.underLoad(async () => {
        const deploy = await run()
        const after = await fleet.served()
        return { deploy, after, rollback: await run('rollback') }
      })
      expect(result.deploy.code, result.deploy.text).toBe(0)
      expect(result.deploy.text).toContain('Publishing group 3 of 3')
      expect(result.after).toEqual(fleet.all(fleet.planted))
      expect(result.rollback.code, result.rollback.text).toBe(0)
      expect(result.rollback.text).toContain('Publishing group 3 of 3')
      expect(await fleet.served()).toEqual(fleet.all(fleet.earlier))
      expect(failed).toEqual([])
      expect(requests).toBeGreaterThan(100)
      await isInService()
    })

    test('a health check that fails in the second group: all goes back, and no request fails', async () => {
      const before = await fleet.served()
      fleet.configure({ healthCheck: ill() })
      const { result, failed } = await fleet.underLoad(() => run())
      expect(result.code, result.text).toBe(1)
      expect(flat(result.text)).toContain('every server has what it had before')
      expect(await fleet.served()).toEqual(before)
      expect(failed).toEqual([])
      await isInService()
    })

    describe.each(momentsFor(balancer))('ended %s', (moment, settings) => {
      const until = (deploy: LabProcess) =>
        moment === 'in the pause'
          ? deploy.line(/Waiting 6 s before group 3/, 120_000)
          : expect.poll(isGo, { timeout: 120_000 }).toBe(true)
      beforeEach(() => fleet.configure(settings(balancer.hooks(fleet.lab.lab) ?? {})))

      test('by kill -9: after murder:resume nobody is out of service, and no request has failed', async () => {
        const { result, failed } = await fleet.underLoad(async () => {
          const deploy = fleet.lab.start()
          await until(deploy)
          deploy.kill('SIGKILL')
          await deploy.ended
          const out = await fleet.out()
          return { out, resumed: await run('murder:resume') }
        })
        expect(result.out.includes('server2')).toBe(moment !== 'in the pause')
        expect(result.resumed.code, result.resumed.text).toBe(0)
        expect(await fleet.served()).toEqual(fleet.all(fleet.planted))
        expect(failed).toEqual([])
        await isInService()
      })

      test('by Ctrl-C: all goes back, and no request fails', async () => {
        const before = await fleet.served()
        const { result, failed } = await fleet.underLoad(async () => {
          const deploy = fleet.lab.start()
          await until(deploy)
          deploy.kill('SIGINT')
          return fleet.lab.end(deploy)
        })
        expect(result.code, result.text).toBe(130)
        expect(await fleet.served()).toEqual(before)
        expect(failed).toEqual([])
        await isInService()
      })
    })

    test.each([
      ['group', 1],
      [false, 3],
    ] as const)(
      'revert: %s leaves the release on %i servers, and murder:resume goes on',
      async (revert, left) => {
        const before = await fleet.served()
        fleet.configure({ healthCheck: ill(), rollout: { revert } })
        const { result, failed } = await fleet.underLoad(async () => {
          const deploy = await run()
          const between = await fleet.served()
          await isInService()
          await fleet.lab.lab.exec(fleet.lab.server(1), ['touch', GO])
          return { deploy, between, resumed: await run('murder:resume') }
        })
        expect(result.deploy.code, result.deploy.text).toBe(1)
        expect(result.between).toEqual(before.map((word, index) => (index < left ? fleet.planted : word)))
        expect(result.resumed.code, result.resumed.text).toBe(0)
        expect(await fleet.served()).toEqual(fleet.all(fleet.planted))
        expect(failed).toEqual([])
        await isInService()
      },
    )

    test("the canary's no takes back that server alone; batch is a short form of groups", async () => {
      const before = await fleet.served()
      const { local } = balancer.hooks(fleet.lab.lab) ?? {}
      fleet.configure({ rollout: { local: { ...local, check: 'echo too many errors; exit 3' } } })
      const no = await fleet.underLoad(() => run())
      expect(no.result.code, no.result.text).toBe(1)
      expect(flat(no.result.text)).toContain(
        'check ended with exit code 3: too many errors: every server has',
      )
      expect(no.result.text).not.toContain('Publishing group 2')
      expect(await fleet.served()).toEqual(before)
      expect(no.failed).toEqual([])
      fleet.plant()
      fleet.configure({ batch: 2 })
      const batch = await fleet.underLoad(() => run())
      expect(batch.result.code, batch.result.text).toBe(0)
      expect(batch.result.text).toContain(`Publishing group 1 of ${Math.ceil(servers / 2)}: `)
      expect(await fleet.served()).toEqual(fleet.all(fleet.planted))
      expect(batch.failed).toEqual([])
      await isInService()
    })

    test('a server that vanishes in the second group: the others go back, and the next deploy has all', async () => {
      const before = await fleet.served()
      const lost = fleet.lab.server(1)
      fleet.configure({ activate: `${ACTIVATE}\n${HANG}`, timeouts: { connect: 4, hook: 20 } })
      const deploy = fleet.lab.start()
      await expect.poll(isGo, { timeout: 120_000 }).toBe(true)
      await fleet.lab.lab.cut(lost)
      const ended = await fleet.lab.end(deploy)
      expect(ended.code, ended.text).toBe(1)
      expect(flat(ended.text)).toContain(`all servers have what they had before, but ${fleet.lab.label(1)}`)
      await fleet.lab.lab.restore(lost)
      const after = await fleet.served()
      expect(after.filter((_, index) => index !== 1)).toEqual(before.filter((_, index) => index !== 1))
      fleet.configure()
      fleet.plant()
      const next = await run()
      expect(next.code, next.text).toBe(0)
      expect(await fleet.served()).toEqual(fleet.all(fleet.planted))
      await isInService()
    })

    test('a release that blocks port 22: it goes back, and no request fails', async () => {
      const before = await fleet.served()
      fleet.configure({
        activate: `${ACTIVATE}\n[ "$(hostname)" != server2 ] || ! grep -q "${fleet.planted} " version || { ${BLOCK}; }`,
        rollout: { confirm: 5, undo: 'nft delete table inet t 2>/dev/null; true' },
        timeouts: { connect: 4 },
      })
      const { result, failed } = await fleet.underLoad(() => run())
      expect(result.code, result.text).toBe(1)
      expect(await fleet.served()).toEqual(before)
      expect(failed).toEqual([])
      await isInService()
      fleet.plant()
      expect((await run()).code).toBe(0)
      expect(await fleet.served()).toEqual(fleet.all(fleet.planted))
    })
  })
