import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DeployLab, flat } from '../support/harness/lab-deploy.ts'
import type { LabHost } from '../support/lab/host.ts'
import { hasNft, labAvailable } from '../support/lab/lab.ts'

const MASQUERADE = `table ip nat {
  chain out {
    type nat hook postrouting priority 100
    ip saddr 192.168.7.0/24 masquerade
  }
}
`

describe.skipIf(!labAvailable() || !hasNft())('a laptop behind a router that masquerades', () => {
  let fleet: DeployLab

  beforeAll(async () => {
    fleet = await DeployLab.of(3, { strangers: 1 })
    const [router] = fleet.strangers as [LabHost]
    const ip = (host: LabHost, ...args: string[]) => fleet.lab.exec(host, ['ip', ...args])
    await fleet.lab.exec(router, ['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward'])
    await ip(router, 'addr', 'add', '192.168.7.1/24', 'dev', 'eth0')
    await fleet.lab.exec(router, ['nft', '-f', '-'], { input: MASQUERADE })
    const { deployHost } = fleet.lab
    await ip(deployHost, 'addr', 'flush', 'dev', 'eth0')
    await ip(deployHost, 'addr', 'add', '192.168.7.2/24', 'dev', 'eth0')
    await ip(deployHost, 'route', 'add', 'default', 'via', '192.168.7.1')
  })
  afterAll(() => fleet?.lab.destroy())

  test('servers reach it through SSH', async () => {
    fleet.plant(20)
    const run = await fleet.run()
    expect(run).toMatchObject({ code: 0 })
    expect(flat(run.text)).toContain(
      'All servers reach the deploy host through SSH: the connection is refused',
    )
    expect(Number(/^seeder sent .*, ([\d.]+) times/m.exec(run.text)?.[1])).toBeLessThan(2)
    expect(fleet.upToDate()).toHaveLength(3)
    fleet.plant(4)
    const named = await fleet.run({ MURDER_ANNOUNCE: '192.168.7.2' })
    expect(named).toMatchObject({ code: 0 })
    expect(flat(named.text)).toContain('through SSH: there is no way')
    expect(fleet.upToDate()).toHaveLength(3)
    expect(await fleet.quiet(5)).toEqual([])
  })
})
