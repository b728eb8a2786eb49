import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DeployLab } from '../support/harness/lab-deploy.ts'
import { labAvailable } from '../support/lab/lab.ts'

const addressOf = (index: number) => `fd00:1::${10 + index}`

describe.skipIf(!labAvailable() || !existsSync('/proc/net/if_inet6'))('a fleet with IPv6 alone', () => {
  let fleet: DeployLab
  let shipitfile: string

  beforeAll(async () => {
    fleet = await DeployLab.of(3, { config: ['ListenAddress ::', 'Port 2222'] })
    const { lab, servers, project } = fleet
    for (const [index, host] of [lab.deployHost, ...servers].entries()) {
      await lab.exec(host, ['sysctl', '-w', 'net.ipv6.conf.all.disable_ipv6=0'], { anyExit: true })
      await lab.exec(host, ['ip', '-6', 'addr', 'add', `${addressOf(index)}/64`, 'dev', 'eth0', 'nodad'])
      await lab.exec(host, ['ip', '-4', 'addr', 'flush', 'dev', 'eth0'])
    }
    shipitfile = join(project.directory, 'shipitfile.js')
    writeFileSync(
      shipitfile,
      readFileSync(shipitfile, 'utf8').replace('"branch"', '"strict": "no", "branch"'),
    )
  })
  afterAll(() => fleet?.lab.destroy())

  /** Names the servers in another way. */
  function name(as: (address: string) => string): () => void {
    const before = readFileSync(shipitfile, 'utf8')
    const named = fleet.servers.reduce(
      (text, { address }, index) => text.replace(`"root@${address}"`, as(addressOf(index + 1))),
      before,
    )
    writeFileSync(shipitfile, named)
    return () => writeFileSync(shipitfile, before)
  }

  test('a name that does not reach ssh as it is is refused in a line that says how to write it', async () => {
    const back = name((address) => `"root@[${address}]:2222"`)
    const { code, text } = await fleet.run()
    back()
    expect(code).not.toBe(0)
    expect(text).toContain("write it as an object: { host: 'fd00:1::11', user: 'root', port: 2222 }")
  })

  test('gets a release, most of it from each other', async () => {
    name((address) => `{ host: '${address}', user: 'root', port: 2222 }`)
    fleet.plant(5)
    const { code, text } = await fleet.run()
    expect(code).toBe(0)
    expect(text).toMatch(/^server +outcome.*\nroot@\[fd00?/m)
    expect(fleet.upToDate()).toHaveLength(3)
    const [, times = ''] = /^seeder sent .* ([\d.]+) times the size$/m.exec(text) ?? []
    expect(Number(times)).toBeLessThan(2)
    expect(await fleet.quiet()).toEqual([])
  })
})
