import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { DeployLab } from '../support/harness/lab-deploy.ts'
import { addRules, NEW, openAll } from '../support/lab/firewall.ts'
import { hasNft, type Lab, labAvailable } from '../support/lab/lab.ts'

const MEGABYTES = 8
/** Bits/s: slow enough to do something in the middle of a transfer. */
const LONG_LINK = { rate: 12_000_000, delayMs: 20, lossPercent: 0, queueBytes: 100_000 }
const LAN = 100_000_000

/** The deploy host and two servers in paris, three in tokyo, one in rome; each place has one way to paris. */
describe.skipIf(!labAvailable())('deploys to several places', { timeout: 180_000 }, () => {
  let fleet: DeployLab
  let lab: Lab
  const tokyo = [2, 3, 4]
  const rome = 5

  beforeAll(async () => {
    fleet = await DeployLab.of(6, { rate: LAN, sites: [2, 3, 1], longLink: LONG_LINK })
    lab = fleet.lab
  })
  afterAll(() => fleet?.lab.destroy())
  afterEach(async () => {
    if (hasNft()) await openAll(lab, lab.hosts)
    await Promise.all(lab.servers.map((server) => lab.setRate(server, LAN)))
    await Promise.all([2, 3].map((site) => lab.restoreLongLink(site)))
    await fleet.reset()
  })

  const labels = (servers: readonly number[]) => servers.map((server) => fleet.label(server)).join(',')
  const named = (places: Record<string, readonly number[]>) => ({
    MURDER_STALL_TIMEOUT: '20',
    MURDER_SITES: Object.entries(places)
      .map(([place, servers]) => `${place}=${[...(place === 'paris' ? ['local'] : []), labels(servers)]}`)
      .join('; '),
  })
  const places = () => named({ paris: [0, 1], tokyo, rome: [rome] })
  const names = (servers: readonly number[]) => servers.map((server) => fleet.server(server).name)
  const all = [0, 1, ...tokyo, rome]

  /** In sizes of the release, into tokyo and into rome. */
  async function crossed(run: () => Promise<void>): Promise<number[]> {
    const before = await lab.longLinkCounters()
    await run()
    const after = await lab.longLinkCounters()
    const into = (site: string) => (after.get(site)?.sent ?? 0) - (before.get(site)?.sent ?? 0)
    return ['2', '3'].map((site) => into(site) / (MEGABYTES * 1e6))
  }

  /** A deploy of which at least `percent` of what all get together has come. */
  async function underWay(percent: number, env: Record<string, string>) {
    fleet.plant(MEGABYTES)
    const program = fleet.start(env)
    await program.line(new RegExp(`^transfer ([${percent / 10}-9]\\d)%`))
    return program
  }

  test('a release crosses into each place about once, also into one with a single server', async () => {
    const times = await crossed(async () => {
      fleet.plant(MEGABYTES)
      expect(await fleet.run(places())).toMatchObject({ code: 0 })
    })
    expect(fleet.upToDate()).toEqual(names(all))
    for (const each of times) expect(each).toBeLessThan(1.3) // The agent and all of SSH come as well.
  })

  test('no more comes into a place than its limit', async () => {
    const report = join(lab.directory, 'report.json')
    const { MURDER_SITES, ...env } = places()
    const limited = { ...env, MURDER_SITES: MURDER_SITES.replace('; rome', ' limit 600K; rome') }
    const [intoTokyo = 0] = await crossed(async () => {
      fleet.plant(MEGABYTES)
      expect(await fleet.run({ ...limited, MURDER_REPORT: report })).toMatchObject({ code: 0 })
    })
    const { phases } = JSON.parse(readFileSync(report, 'utf8')) as { phases: { transfer: number } }
    const rate = (intoTokyo * MEGABYTES * 1e6) / phases.transfer
    expect(rate).toBeGreaterThan(150_000)
    expect(rate).toBeLessThan(680_000)
    expect(fleet.upToDate()).toEqual(names(all))
  })

  test('a server that fetches dies: the others of its place have all, and it is left out', async () => {
    const program = await underWay(40, { ...places(), MURDER_TOLERATE: '1', MURDER_STALL_TIMEOUT: '6' })
    await lab.cut(fleet.server(3))
    const { code, text } = await fleet.end(program)
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining(fleet.label(3)) })
    expect(fleet.upToDate()).toEqual(names([0, 1, 2, 4, rome]))
  })

  test('a server that fetches is slow and comes back: nobody fails', async () => {
    const program = await underWay(40, places())
    await lab.setRate(fleet.server(3), 500_000)
    await setTimeout(4000)
    await lab.setRate(fleet.server(3), LAN)
    expect(await fleet.end(program)).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toEqual(names(all))
  })

  test('a server that fetches is away for a few seconds: nobody fails', async () => {
    const program = await underWay(40, places())
    await lab.cut(fleet.server(2))
    await setTimeout(5000)
    await lab.restore(fleet.server(2))
    expect(await fleet.end(program)).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toEqual(names(all))
  })

  test('the long link breaks for 10 s: all have the release', async () => {
    const program = await underWay(40, places())
    await lab.cutLongLink(2)
    await setTimeout(10_000)
    await lab.restoreLongLink(2)
    expect(await fleet.end(program)).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toEqual(names(all))
  })

  test('the long link breaks for good: that place fails and is named, the others have the release', async () => {
    const program = await underWay(40, { ...places(), MURDER_TOLERATE: '3', MURDER_STALL_TIMEOUT: '6' })
    await lab.cutLongLink(2)
    const { code, text } = await fleet.end(program)
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('tokyo') })
    expect(fleet.upToDate()).toEqual(names([0, 1, rome]))
  })

  test('servers under a wrong name get the release, too', async () => {
    fleet.plant(MEGABYTES)
    const wrong = named({ paris: [0, 2], tokyo: [1, 3, rome], rome: [4] })
    expect(await fleet.run(wrong)).toMatchObject({ code: 0 })
    expect(fleet.upToDate()).toEqual(names(all))
  })

  test.skipIf(!hasNft())(
    'a place that only opens connections and accepts none gets the release',
    async () => {
      const inside = tokyo.map((server) => fleet.server(server).address).join(', ')
      const rule = `iifname != "lo" ip saddr != { ${inside} } tcp dport != 22 ${NEW} drop`
      await addRules(
        lab,
        tokyo.map((server) => fleet.server(server)),
        rule,
      )
      fleet.plant(MEGABYTES)
      expect(await fleet.run(places())).toMatchObject({ code: 0 })
      expect(fleet.upToDate()).toEqual(names(all))
    },
  )
})
