import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Picture, ServerPicture } from '../../src/page/model/picture.ts'
import { DeployLab } from '../support/harness/lab-deploy.ts'
import { labAvailable } from '../support/lab/lab.ts'
import type { LabProcess } from '../support/lab/process.ts'

describe.skipIf(!labAvailable())('a server whose link goes down', () => {
  let fleet: DeployLab

  beforeAll(async () => {
    fleet = await DeployLab.of(3, { rate: 12_000_000 })
  })
  afterAll(() => fleet?.lab.destroy())

  /** The server as the page of this deploy shows it now. */
  async function shown(program: LabProcess, server: string): Promise<ServerPicture | undefined> {
    const [, url] = /Page of this run: (\S+)/.exec(program.stdout) ?? []
    const ask = ['curl', '-sN', '--max-time', '0.5', `${url}/events`]
    const { stdout } = await fleet.lab.exec('deploy', ask, { anyExit: true })
    const [, json] = /^data: (\{"run":.*)$/m.exec(stdout) ?? []
    return json === undefined
      ? undefined
      : (JSON.parse(json) as Picture).servers.find((each) => each.server === server)
  }

  test('is red on the page with what to do, and not any more when it is back', async () => {
    fleet.plant(24)
    const program = fleet.start({ MURDER_PAGE: '1' })
    await fleet.seeding(program)
    const [server, label] = [fleet.server(1), fleet.label(1)]
    const lane = async () => (await shown(program, label))?.lane
    await expect.poll(lane, { timeout: 20_000 }).toBe('transfer')
    await fleet.lab.cut(server)
    await expect.poll(lane, { timeout: 20_000 }).toBe('failed')
    expect((await shown(program, label))?.failure).toMatchObject({
      step: 'transfer',
      cure: expect.any(String),
    })
    await fleet.lab.restore(server)
    await expect.poll(lane, { timeout: 60_000 }).not.toBe('failed')
    expect(await fleet.end(program)).toMatchObject({ code: 0 })
  }, 300_000)
})
