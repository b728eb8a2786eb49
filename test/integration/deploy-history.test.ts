import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ShipitConfig } from '../../src/shipit.ts'
import { embedded } from '../support/harness/deploy-embedded.ts'

test('releases go and are gone back to by what they were, not by their names', async () => {
  const it = await embedded(2, { keepReleases: 2, murder: { linger: 0 } })
  const { project } = it
  const releases = (at = 0) => readdirSync(join(it.app(at), 'releases')).sort()
  const run = async (tasks?: string, env?: Record<string, string>) => {
    writeFileSync(join(project.workspace, 'file'), `${tasks} ${JSON.stringify(env)}`)
    const done = await project.run(tasks, env)
    expect(done, done.stdout).toMatchObject({ code: 0 })
    return live()
  }
  const live = () => {
    const [one = '', other] = it.current()
    expect(other).toBe(one)
    return one.replace('releases/', '')
  }

  const a = await run()
  mkdirSync(join(it.app(0), 'releases/initial'))
  const b = await run()
  await run('murder:distribute', { MURDER_TAG: 'v1.0' })
  expect(live()).toBe(b)

  // B is broken.
  expect(await run('rollback')).toBe(a)
  const c = await run()
  expect(await run('rollback')).toBe(a)

  // A listener throws, so the release is never published.
  it.configure({}, { after: "shipit.on('updated', () => { throw new Error('broken') })" })
  expect((await project.run()).code).not.toBe(0)
  const [unpublished = ''] = releases(1).filter((name) => /^\d/.test(name) && ![a, b, c].includes(name))
  it.configure()
  const d = await run()
  expect(releases(0)).toEqual([a, d, 'initial', 'v1.0'].sort())
  expect(releases(1)).toEqual([a, d, 'v1.0'].sort())
  expect(unpublished).not.toBe('')

  const history = readFileSync(join(it.app(1), '.murder-history'), 'utf8')
  expect(history).toContain(`\trolled-back-from\t${b}\t`)
  expect(history).toContain(`\treceiving\t${unpublished}\t`)
})

test('murder:retry after a rollback that has left a server out rolls that one back, and deploys nothing', async () => {
  const { project, app, current } = await embedded(2)
  const deploy = async (content: string) => {
    writeFileSync(join(project.workspace, 'file'), content)
    expect(await project.run()).toMatchObject({ code: 0 })
    return current()[0]
  }
  const [first, second] = [await deploy('first'), await deploy('second')]
  const sick = join(app(1), 'releases/sick')
  writeFileSync(sick, '')
  const env = { MURDER_TOLERATE: '1', MURDER_HEALTH_CHECK: '[ ! -e ../sick ]' }
  expect(await project.run('rollback', env)).toMatchObject({ code: 0 })
  expect(current()).toEqual([first, second])
  rmSync(sick)
  writeFileSync(join(project.workspace, 'file'), 'third')
  expect(await project.run('murder:retry')).toMatchObject({ code: 0 })
  expect(current()).toEqual([first, first])
  expect(readFileSync(join(app(1), 'current/file'), 'utf8')).toBe('first')
})

test.each<[string, ShipitConfig, boolean]>([
  ['a workspace without a revision', { murder: { deltas: false } }, false],
  ['a revision and what was built of it', { murder: { package: 'directory' } }, true],
  ['a directory that is copied as such', { deploy: { remoteCopy: { copyAsDir: true } } }, true],
])('murder:retry brings a server what the others have of %s, or nothing', async (_, config, hasRevision) => {
  const { project, app, current } = await embedded(2, config)
  const file = join(project.workspace, 'file')
  const git = (...words: string[]) => {
    const own = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-C', project.workspace]
    execFileSync('git', [...own, ...words], { stdio: 'ignore' })
  }
  writeFileSync(join(project.workspace, 'source'), '')
  symlinkSync('source', join(project.workspace, 'link'))
  if (hasRevision) {
    git('init')
    git('add', 'source')
    git('commit', '-m', 'one')
  }
  writeFileSync(file, 'first')
  expect(await project.run()).toMatchObject({ code: 0 })
  writeFileSync(file, 'second')
  const sick = join(app(1), 'releases/sick')
  writeFileSync(sick, '')
  const env = { MURDER_TOLERATE: '1', MURDER_HEALTH_CHECK: '[ ! -e ../sick ]' }
  expect(await project.run('deploy', env)).toMatchObject({ code: 0 })
  const before = current()
  expect(before[1]).not.toBe(before[0])
  rmSync(sick)
  const inside = existsSync(join(app(0), 'current/workspace')) ? 'workspace/' : ''

  for (const [content, added] of [
    ['thirds', false],
    ['second', true],
  ] as const) {
    writeFileSync(file, content)
    if (added) writeFileSync(join(project.workspace, 'added'), '')
    const { code, stdout } = await project.run('murder:retry')
    expect(code).toBe(1)
    const path = `${inside}${added ? 'added' : 'file'}`
    expect(stdout).toContain(
      `The files have changed since ${before[0]?.slice(9)} was made of them: ${path} — `,
    )
    expect(current()).toEqual(before)
  }
  rmSync(join(project.workspace, 'added'))
  // As in another clone: other times, and other bytes of git's own.
  utimesSync(file, 1, 1)
  if (hasRevision) writeFileSync(join(project.workspace, '.git/description'), 'another clone')
  expect(await project.run('murder:retry')).toMatchObject({ code: 0 })
  expect(current()).toEqual([before[0], before[0]])
  expect(readFileSync(join(app(1), 'current', inside, 'file'), 'utf8')).toBe('second')
})
