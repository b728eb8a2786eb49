import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'
import { names } from '../support/harness/deploy-project.ts'
import { processesOf, quiet } from '../support/processes.ts'
import { plant, survey } from '../unit/package/trees.ts'

const whole = (root: string) => survey(realpathSync(root), (mtime) => String(mtime / 1000n))

/** Four servers, of which the first two are deployed to. */
async function withOthers(): Promise<Embedded & { at: (index: number) => string }> {
  const made = await embedded(4)
  plant(made.project.workspace, { 'a/b': 'content', large: { content: randomBytes(300_000) } })
  const at = (index: number) => {
    const { user, host, port } = made.fleet.remotes[index] ?? {}
    return `${user}@${host}:${port}`
  }
  return { ...made, at }
}

describe.each([
  ['the seeder, with the tracker,', 'other', 'seeder'],
  ['the tracker', 'local', 'other'],
  ['tracker and seeder, apart,', 'other', 'another'],
  ['the seeder, and the tracker is on the deploy host,', 'other', 'local'],
])('%s on a server besides the fleet', (_, seederRole, trackerRole) => {
  const setUp = async () => {
    const made = await withOthers()
    const place = (role: string) => (role === 'other' ? made.at(2) : role === 'another' ? made.at(3) : role)
    const servers = made.fleet.remotes.slice(0, 2)
    const murder = { seeder: place(seederRole), tracker: { at: place(trackerRole) } }
    made.configure({ servers, murder })
    return { ...made, trackerHost: place(trackerRole === 'seeder' ? seederRole : trackerRole) }
  }

  test('a deploy', async () => {
    const { project, app, current, leftovers } = await setUp()
    const running = project.start('deploy', { MURDER_UPLOAD_LIMIT: '150K' })
    await running.said(/^transfer /m)
    const roles = (['seed', 'tracker'] as const).map((role) =>
      processesOf(project.root).find((line) => line.includes(`.mjs ${role} `)),
    )
    const isRemote = (line: string | undefined) => line?.includes('/shared/murder/')
    expect(roles.map(isRemote)).toEqual([seederRole === 'other', !['local'].includes(trackerRole)])
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' })
    const [release] = current()
    expect(current()).toEqual([release, release, undefined, undefined])
    for (const index of [0, 1])
      expect(whole(join(app(index), release ?? ''))).toEqual(whole(project.workspace))
    for (const index of [2, 3]) expect(names(app(index), 'releases')).toEqual([])
    expect(leftovers()).toEqual([])
    expect(await quiet(project.root)).toEqual([])
  })

  test('single steps', async () => {
    const { project, app, trackerHost } = await setUp()
    const seeded = await project.run('murder:seed', { MURDER_TAG: 'one' })
    expect(seeded).toMatchObject({ code: 0, stderr: '' })
    const [host] = trackerHost.replace(/^.*@/, '').split(':')
    if (host !== 'local') expect(seeded.stdout).toContain(`http://${host}:${project.trackerPort}`)
    const status = await project.run('murder:status')
    expect(status.stdout).toMatch(/ seeder +running/)
    expect(status.stdout).toMatch(/ tracker +running/)
    const more = 'murder:peer murder:stop_peering murder:stop_seeding murder:stop_tracker murder:clean'
    expect(await project.run(more, { MURDER_TAG: 'one' })).toMatchObject({ code: 0, stderr: '' })
    for (const index of [0, 1])
      expect(whole(join(app(index), 'releases/one'))).toEqual(whole(project.workspace))
    expect(await quiet(project.root)).toEqual([])
  })
})

test('Ctrl-C ends a seeder on a server in order: it is not taken for broken and started again', async () => {
  const { project, configure, leftovers, current, fleet, at } = await withOthers()
  configure({ servers: fleet.remotes.slice(0, 2), murder: { seeder: at(2) } })
  const running = project.start('deploy', { MURDER_UPLOAD_LIMIT: '50K' })
  await running.said(/^transfer [1-9]/m)
  running.signal('SIGINT')
  expect(await running.ended).toMatchObject({ code: 130, stderr: '' })
  expect(running.output).not.toContain('started again')
  expect(current()).toEqual([undefined, undefined, undefined, undefined])
  expect(leftovers()).toEqual([])
  expect(await quiet(project.root)).toEqual([])
})

test('a seeder besides the fleet that cannot be reached is named, and nothing is left', async () => {
  const { project, configure, leftovers, fleet } = await withOthers()
  configure({ servers: fleet.remotes.slice(0, 2), murder: { seeder: 'deploy@127.0.0.77:1' } })
  const run = await project.run()
  expect(run.code).toBe(1)
  expect(run.stdout + run.stderr).toMatch(/deploy@127\.0\.0\.77:1 +check/)
  expect(leftovers()).toEqual([])
})
