import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ShipitConfig } from '../../src/shipit.ts'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'

const seedAndPeer = 'murder:seed murder:peer'

/** A fleet that has been brought nothing yet. */
async function project(config: ShipitConfig = {}, servers = 2): Promise<Embedded> {
  const it = await embedded(servers, { murder: { linger: 0 }, ...config })
  writeFileSync(join(it.project.workspace, 'file'), 'one')
  return it
}

const content = (it: Embedded) => [0, 1].map((at) => readFileSync(join(it.app(at), 'current/file'), 'utf8'))

test('publishes what murder:peer has brought, in one call or a later one, and again', async () => {
  const it = await project()
  const first = await it.project.run(`${seedAndPeer} deploy:publish`)
  expect(first, first.stdout).toMatchObject({ code: 0 })
  expect(content(it)).toEqual(['one', 'one'])
  const [one = ''] = it.current()
  expect(one).toMatch(/^releases\/\d{14}$/)
  const seen = it.project.seen()
  expect(seen).toMatchObject([
    { event: 'published', releaseDirname: one.slice(9), releasePath: join(it.fleet.home, 'app', one) },
  ])
  expect(seen[0]?.previousRelease).toBeNull()

  writeFileSync(join(it.project.workspace, 'file'), 'two')
  expect(await it.project.run(seedAndPeer)).toMatchObject({ code: 0 })
  expect(content(it)).toEqual(['one', 'one'])
  expect(await it.project.run('murder:stop_seeding murder:stop_tracker murder:clean')).toMatchObject({
    code: 0,
  })
  for (const _ of ['once', 'again']) {
    expect(await it.project.run('deploy:publish')).toMatchObject({ code: 0 })
    expect(content(it)).toEqual(['two', 'two'])
  }
  expect(await it.project.run('deploy:publish', { MURDER_TAG: one.slice(9) })).toMatchObject({ code: 0 })
  expect(it.current()).toEqual([one, one])
  for (const at of [0, 1]) expect(existsSync(join(it.app(at), 'shared/murder/lock'))).toBe(false)
})

test('where nothing was brought since the last deploy nothing is published', async () => {
  const it = await project()
  const refused = async () => {
    const before = it.current()
    const run = await it.project.run('deploy:publish')
    expect(run.code).toBe(2)
    expect(run.stdout).toMatch(
      /^Nothing to publish: murder:peer has brought no release to test since.* — .*run: npx shipit test murder:seed /m,
    )
    expect(run.stdout).not.toContain('Release published')
    expect(it.current()).toEqual(before)
  }
  await refused()
  expect(await it.project.run(`${seedAndPeer} murder:stop_seeding murder:stop_tracker`)).toMatchObject({
    code: 0,
  })
  writeFileSync(join(it.project.workspace, 'file'), 'newer')
  expect(await it.project.run()).toMatchObject({ code: 0 })
  expect(content(it)).toEqual(['newer', 'newer'])
  await refused()
})

/** Something that is wrong on a server, with the cause that is said. */
type Harm = [harm: (app: string, release: string) => void, cause: RegExp]

const missing: Harm[] = [
  [(_, release) => rmSync(release, { recursive: true }), /is not there, or/],
  [
    // It has half of it.
    (app, release) => renameSync(release, join(app, 'releases/.mine.partial')),
    /is not there, or/,
  ],
  [
    // It has something else of that name.
    (app) => writeFileSync(join(app, 'shared/murder/unpacked/mine'), `${'0'.repeat(64)}\n`),
    /is made of another/,
  ],
  // It did not get it from murder:peer.
  [(app) => rmSync(join(app, 'shared/murder/unpacked/mine')), /was not brought by/],
]

const changed: Harm[] = [
  [(_, release) => rmSync(join(release, 'file')), /is not what was brought: file is missing/],
  [(_, release) => writeFileSync(join(release, 'file'), 'ONE'), /is not what was brought: file is different/],
  [
    (app, release) => {
      renameSync(release, join(app, 'shared/moved'))
      symlinkSync('../shared/moved', release)
    },
    /is not what was brought: it is a symlink to \.\.\/shared\/moved, no directory/,
  ],
]

test.each([
  ['does not have what was brought', missing],
  ['has something else in its place', changed],
])('nothing is published anywhere when a server %s, unless that is tolerated', async (_, harms) => {
  const it = await project({ murder: { linger: 0, batch: 1 } }, 1 + harms.length)
  writeFileSync(join(it.project.workspace, 'other'), 'other')
  expect(await it.project.run(seedAndPeer, { MURDER_TAG: 'mine' })).toMatchObject({ code: 0 })
  writeFileSync(join(it.app(0), 'releases/mine/made-here'), 'by the application')
  for (const [index, [harm]] of harms.entries()) {
    const app = it.app(1 + index)
    harm(app, join(app, 'releases/mine'))
  }
  const run = await it.project.run('deploy:publish')
  expect(run.code).toBe(2)
  for (const [index, [, cause]] of harms.entries()) {
    const { host, port } = it.fleet.remotes[1 + index] ?? { host: '', port: 0 }
    const failure = run.stdout.split(/\n(?=\S)/).find((each) => each.includes(`deploy@${host}:${port}`))
    const said = failure?.replace(/\s+/g, ' ')
    expect(said).toMatch(new RegExp(`check( cause)? releases/mine ${cause.source}`))
  }
  const count = harms.length
  expect(run.stdout).toContain(`${count} of ${count + 1} servers failed: nothing was published`)
  expect(it.current().filter(Boolean)).toEqual([])
  const dry = await it.project.run('deploy:publish', { MURDER_DRY_RUN: '1' })
  expect(dry.code).toBe(2)
  expect(dry.stdout).toContain('nothing would be published')

  const tolerated = await it.project.run('deploy:publish', { MURDER_TOLERATE: `${count}` })
  expect(tolerated).toMatchObject({ code: 0 })
  expect(it.current()).toEqual(['releases/mine', ...harms.map(() => undefined)])
  const retry = await it.project.run('murder:retry')
  expect(retry.code).toBe(2)
  expect(retry.stdout).toContain('mine was published without a deploy')
})

test('one that murder:peer could not bring everywhere is what is meant, not the one before', async () => {
  const it = await project()
  expect(await it.project.run(seedAndPeer, { MURDER_TAG: 'before' })).toMatchObject({ code: 0 })
  writeFileSync(join(it.project.workspace, 'file'), 'two')
  mkdirSync(join(it.app(1), 'releases/after'))
  writeFileSync(join(it.app(1), 'releases/after/file'), 'in the way')
  expect(await it.project.run(seedAndPeer, { MURDER_TAG: 'after' })).toMatchObject({ code: 1 })
  const run = await it.project.run('deploy:publish')
  expect(run.code).toBe(2)
  expect(run.stdout).toContain('releases/after')
  expect(it.current()).toEqual([undefined, undefined])
})

test('not while another deploy has the lock', async () => {
  const it = await project()
  expect(await it.project.run(seedAndPeer)).toMatchObject({ code: 0 })
  expect(await it.project.run('murder:lock')).toMatchObject({ code: 0 })
  const run = await it.project.run('deploy:publish')
  expect(run.code).toBe(1)
  expect(run.stdout).toContain('locked by')
  expect(it.current()).toEqual([undefined, undefined])
})

test('a dry run says which release it would be', async () => {
  const it = await project()
  const dry = { MURDER_DRY_RUN: '1' }
  const chain = await it.project.run(`${seedAndPeer} deploy:publish`, dry)
  expect(chain, chain.stdout).toMatchObject({ code: 0 })
  expect(chain.stdout).toContain('current would point to the new release')
  expect(await it.project.run('deploy:publish', dry)).toMatchObject({ code: 2 })
  expect(await it.project.run(seedAndPeer, { MURDER_TAG: 'mine' })).toMatchObject({ code: 0 })
  const run = await it.project.run('deploy:publish', dry)
  expect(run.stdout).toContain('current would point to mine')
  expect(it.current()).toEqual([undefined, undefined])
})

test('what a shipitfile names is published as long as it is there, and nothing after a task that has failed', async () => {
  const it = await project()
  expect(await it.project.run()).toMatchObject({ code: 0 })
  const [first = ''] = it.current()
  for (const at of [0, 1])
    cpSync(join(it.app(at), first), join(it.app(at), 'releases/own'), { recursive: true })
  appendFileSync(
    join(it.project.directory, 'shipitfile.js'),
    `const before = module.exports
module.exports = (shipit) => {
  before(shipit)
  shipit.blTask('choose', () => { shipit.releaseDirname = process.env.CHOICE })
  const update = shipit.tasks['deploy:update'].fn
  shipit.blTask('deploy:update', () => update().catch(() => {}))
}
`,
  )
  expect(await it.project.run('choose deploy:publish', { CHOICE: 'own' })).toMatchObject({ code: 0 })
  expect(it.current()).toEqual(['releases/own', 'releases/own'])
  expect(it.project.seen().at(-1)).toMatchObject({
    releasePath: join(it.fleet.home, 'app/releases/own'),
    previousRelease: first.slice(9),
  })
  for (const [name, code] of [
    ['', 2],
    ['../shared', 2],
    ['nosuch', 2],
  ] as const) {
    expect(await it.project.run('choose deploy:publish', { CHOICE: name }), name).toMatchObject({ code })
  }
  const node = join(it.fleet.home, 'no-node')
  const run = await it.project.run('deploy:update deploy:publish', { MURDER_NODE: node })
  expect(run.code).toBe(2)
  expect(run.stdout).toContain('Nothing to publish: deploy:update has failed')
  expect(it.current()).toEqual(['releases/own', 'releases/own'])
})
