import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ShipitConfig } from '../../src/shipit.ts'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'
import { names } from '../support/harness/deploy-project.ts'
import { plant } from '../unit/package/trees.ts'

/** Does not compress, so that it shows whether it has travelled. */
const CONTENT_BYTES = 200_000

interface Report {
  packaged: boolean
  seederUploaded: number
  servers: { received: number; delta?: { staged?: boolean; unchanged?: boolean }; refusedDelta?: string }[]
}

/** Three servers and a project, of which `run` gives what the report says, too. */
async function staging(config: ShipitConfig = {}) {
  const it = await embedded(3, config)
  const { project, app, current } = it
  plant(project.workspace, { 'lib/large': { content: randomBytes(CONTENT_BYTES) }, file: 'one' })
  const run = async (tasks: string, env: Record<string, string> = {}) => {
    const file = join(project.root, 'report.json')
    rmSync(file, { force: true })
    const done = await project.run(tasks, { MURDER_REPORT: file, ...env })
    expect(done, `${done.stdout}${done.stderr}`).toMatchObject({ code: 0, stderr: '' })
    return { ...done, ...(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : noReport) }
  }
  return {
    ...it,
    run,
    write: (content: string) => writeFileSync(join(project.workspace, 'file'), content),
    releases: () => [0, 1, 2].map((index) => names(app(index), 'releases')),
    live: (path = 'file') =>
      current().map((release, index) =>
        release ? readFileSync(join(app(index), release, path), 'utf8') : undefined,
      ),
  }
}
const noReport: Report = { packaged: true, seederUploaded: 0, servers: [] }

/** As after a fresh checkout. */
const touch = ({ project }: Embedded) => utimesSync(join(project.workspace, 'lib/large'), 1e9, 1e9)

const settings: [string, ShipitConfig][] = [
  ['file', {}],
  ['file, without deltas', { murder: { deltas: false } }],
  ['file, encrypted', { murder: { encrypt: true } }],
  ['directory', { murder: { package: 'directory' } }],
]

test.each(settings)('what is staged as a %s is published without a transfer', async (_, config) => {
  const it = await staging(config)
  await it.run('deploy')
  writeFileSync(join(it.project.workspace, 'lib/new'), randomBytes(CONTENT_BYTES))
  it.write('two')
  const staged = await it.run('murder:stage')
  expect(staged.stdout).toMatch(/Staged \d{14} on 3 servers/)
  expect(staged.servers.every(({ received }) => received > CONTENT_BYTES)).toBe(true)
  expect(it.live()).toEqual(['one', 'one', 'one'])
  expect(it.releases().map((each) => each.length)).toEqual([2, 2, 2])

  const status = await it.run('murder:status')
  expect(status.stdout).toMatch(/^Staged \d{14}, on all of them$/m)
  touch(it)
  const dry = await it.run('deploy', { MURDER_DRY_RUN: '1' })
  expect(dry.stdout.match(/nothing: it is staged/g)).toHaveLength(3)

  // One port is for one seeder: the package's.
  const deployed = await it.run('deploy', { MURDER_PORTS: '21345-21345' })
  expect(deployed.stdout).toMatch(/^staged already +on 3 of 3 servers/m)
  expect(deployed.packaged).toBe(false)
  expect(deployed.seederUploaded).toBe(0)
  for (const server of deployed.servers)
    expect(server).toMatchObject({ received: 0, delta: { staged: true, unchanged: true } })
  expect(it.live()).toEqual(['two', 'two', 'two'])
  // The staged release has done its work.
  expect(it.releases().map((each) => each.length)).toEqual([2, 2, 2])
  expect(it.leftovers()).toEqual([])
})

test('where what is staged fits, nobody waits for a delta of what is live', async () => {
  const it = await staging()
  await it.run('deploy')
  it.write('two')
  await it.run('murder:stage')
  // Of the live release a server would have to send its hashes, and none ever does.
  const all = join(it.project.directory, '.shipit-murder/bases')
  const bases = join(all, names(all)[0] ?? '')
  const isLive = (name: string) => /^[0-9a-f]{64}$/.test(name) && !existsSync(join(bases, name, 'extents'))
  const live = names(bases).filter(isLive)
  expect(live).toHaveLength(1)
  for (const name of live) rmSync(join(bases, name), { recursive: true })
  const node = join(it.project.root, 'node')
  const asked = join(it.project.root, 'asked')
  const script = `#!/bin/sh\n[ "$2" != signature ] || { echo asked >>'${asked}'; exec sleep 300; }\nexec '${process.execPath}' "$@"\n`
  writeFileSync(node, script, { mode: 0o755 })
  it.configure({ murder: { node } } as never)
  const deployed = await it.run('deploy')
  expect(deployed.stdout).toMatch(/^staged already +on 3 of 3 servers/m)
  expect(deployed.stdout).not.toContain('the whole package goes')
  expect(deployed.packaged).toBe(false)
  expect(it.live()).toEqual(['two', 'two', 'two'])
})

test('what a server keeps is taken from what is live when it is published', async () => {
  const it = await staging({ ignores: ['.env'] })
  await it.run('deploy')
  for (const index of [0, 1, 2]) writeFileSync(join(it.app(index), 'current/.env'), 'old')
  it.write('two')
  await it.run('murder:stage')
  for (const index of [0, 1, 2]) {
    const [, staged = ''] = it.releases()[index] ?? []
    expect(names(it.app(index), `releases/${staged}`)).not.toContain('.env')
    writeFileSync(join(it.app(index), 'current/.env'), `of ${index}`)
  }
  const run = await it.run('deploy')
  expect(run.stdout).toMatch(/^staged already +on 3 of 3 servers/m)
  expect(it.live('.env')).toEqual(['of 0', 'of 1', 'of 2'])
})

test('after a change of the content the deploy is as any other, and what was staged goes', async () => {
  const it = await staging()
  await it.run('deploy')
  it.write('two')
  await it.run('murder:stage')
  it.write('three')
  const run = await it.run('deploy')
  expect(run.stdout).not.toContain('staged already')
  expect(it.live()).toEqual(['three', 'three', 'three'])
  expect(it.releases().map((each) => each.length)).toEqual([2, 2, 2])
  expect((await it.run('murder:status')).stdout).not.toContain('Staged')
  await it.run('rollback')
  expect(it.live()).toEqual(['one', 'one', 'one'])
})

test('a server whose staged release is damaged gets it anew', async () => {
  const it = await staging({ murder: { deltas: false } })
  await it.run('deploy')
  it.write('two')
  await it.run('murder:stage')
  const [, staged = ''] = it.releases()[1] ?? []
  appendFileSync(join(it.app(1), 'releases', staged, 'lib/large'), 'more')
  const run = await it.run('deploy')
  expect(run.stdout).toMatch(/^staged already +on 2 of 3 servers/m)
  expect(run.servers.map(({ received }) => received > CONTENT_BYTES)).toEqual([false, true, false])
  expect(run.servers[1]?.refusedDelta).toContain('large')
  expect(it.live()).toEqual(['two', 'two', 'two'])
  const large = readFileSync(join(it.project.workspace, 'lib/large'), 'utf8')
  expect(it.live('lib/large')).toEqual([large, large, large])
  expect(it.releases().map((each) => each.length)).toEqual([2, 2, 2])
})

test('it stays until it is published, superseded or unstaged, and nothing else takes it', async () => {
  const it = await staging({ keepReleases: 1 })
  await it.run('deploy')
  it.write('two')
  await it.run('deploy')
  const [live = ''] = it.releases()[0] ?? []
  it.write('three')
  const first = await it.run('murder:stage')
  expect(it.project.seen().map(({ event }) => event)).toEqual(['deploy', 'fetched'])
  const [name = ''] = /\d{14}(?= on 3 servers)/.exec(first.stdout) ?? []
  expect(it.releases()).toEqual([0, 1, 2].map(() => [live, name]))

  await it.run('deploy:clean')
  await it.run('murder:clean')
  expect(it.releases()).toEqual([0, 1, 2].map(() => [live, name]))
  for (const env of [{}, { MURDER_ROLLBACK_ANY: 'true' }]) {
    const back = await it.project.run('rollback', env)
    expect(back.code, back.stdout).toBe(1)
    expect(`${back.stdout}${back.stderr}`).toContain('release not found')
  }
  const history = await it.run('murder:history')
  expect(history.stdout).toMatch(new RegExp(`staged +${name}`))

  // Staged again, it takes the place of the first.
  it.write('four')
  const second = await it.run('murder:stage')
  const [later = ''] = /\d{14}(?= on 3 servers)/.exec(second.stdout) ?? []
  expect(it.releases()).toEqual([0, 1, 2].map(() => [live, later]))
  const gone = await it.run('murder:unstage')
  expect(gone.stdout.match(new RegExp(`: removed ${later}`, 'g'))).toHaveLength(3)
  expect(it.releases()).toEqual([0, 1, 2].map(() => [live]))
  expect((await it.run('murder:unstage')).stdout).toContain('Nothing is staged')
  expect(it.live()).toEqual(['two', 'two', 'two'])
  expect(it.leftovers()).toEqual([])
})

test.for([
  ['releases', 'releases'],
  ['all of deployTo', '.'],
])(
  '%s on a disk with room for one release only: nothing is staged, and a deploy fits',
  async ([_, path = ''], context) => {
    const it = await staging()
    const small = join(it.app(1), path)
    mkdirSync(small, { recursive: true })
    // A package beside the releases takes room as well.
    const megabytes = path === '.' ? 6 : 4
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', small])
    if (mounted.status !== 0) return context.skip('needs the right to mount a tmpfs')
    onTestFinished(() => void spawnSync('umount', ['-l', small]))
    writeFileSync(join(it.project.workspace, 'lib/large'), randomBytes(2_500_000))
    const full = await it.project.run('murder:stage', { MURDER_OUTPUT: 'json' })
    expect(full, full.stdout).toMatchObject({ code: 1, stderr: '' })
    const events = full.stdout.split('\n').filter((line) => line.startsWith('{'))
    expect(events.map((line) => JSON.parse(line)).filter(({ event }) => event === 'failed')).toMatchObject([
      {
        step: 'check',
        cause: expect.stringMatching(
          /^the disk is too full: the package takes 2\.\d MiB and the staged release and the one that is made of it 4\.\d MiB, \S+ MiB are free$/,
        ),
      },
    ])
    expect(full.stdout).toMatch(/^1 of 3 servers failed: nothing was staged/m)
    expect(it.releases()).toEqual([[], [], []])
    expect(it.leftovers()).toEqual([])
    expect((await it.run('murder:status')).stdout).not.toContain('Staged')
    await it.run('deploy')
    expect(it.live()).toEqual(['one', 'one', 'one'])
  },
)

test('it is not staged beside a deploy in one call, nor where no deploy would know it again', async () => {
  const it = await staging()
  for (const tasks of ['murder:stage deploy', 'deploy murder:stage']) {
    const both = await it.project.run(tasks)
    expect(both.code).toBe(2)
    expect(`${both.stdout}${both.stderr}`).toContain('murder:stage and deploy cannot run in one call')
    expect(it.releases()).toEqual([[], [], []])
  }

  // Its note of what was delivered would be in here.
  plant(it.app(1), { '.murder-bases': 'in the way' })
  const unnoted = await it.project.run('murder:stage')
  expect(unnoted, unnoted.stdout).toMatchObject({ code: 1 })
  expect(`${unnoted.stdout}${unnoted.stderr}`).toMatch(/could not be noted.*nothing was staged/s)
  expect(it.releases()).toEqual([[], [], []])
  expect(it.leftovers()).toEqual([])
})
