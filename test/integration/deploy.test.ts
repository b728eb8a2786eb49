import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  lstatSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { embedded } from '../support/harness/deploy-embedded.ts'
import { names } from '../support/harness/deploy-project.ts'
import { nastyTree } from '../support/harness/nasty-tree.ts'
import { quiet } from '../support/processes.ts'
import { plant, survey } from '../unit/package/trees.ts'

/** Everything about a tree, its root's times too. Times in whole microseconds, which is what Node can set. */
const whole = (root: string) => survey(realpathSync(root), (mtime) => String(mtime / 1000n))

describe('a whole deploy on embedded servers', () => {
  test('brings every entry as it is, then only what changed, and serves a new server among old ones', async () => {
    const { project, app, current, leftovers } = await embedded(3)
    nastyTree(project.workspace)
    const first = await project.run()
    expect(first).toMatchObject({ code: 0, stderr: '' })
    const [release] = current()
    expect(current()).toEqual([release, release, release])
    for (const index of [0, 1, 2])
      expect(whole(join(app(index), release ?? ''))).toEqual(whole(project.workspace))
    expect(leftovers()).toEqual([])
    expect(await quiet(project.root)).toEqual([])

    // One server is new, one file is, and one has changed.
    rmSync(app(1), { recursive: true })
    plant(project.workspace, { 'new file': 'new', 'random.bin': { content: randomBytes(300_000) } })
    const second = await project.run()
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(second.stdout).toMatch(/^delta .* to 2 of 3 servers/m)
    const [next] = current()
    expect(next).not.toBe(release)
    expect(current()).toEqual([next, next, next])
    for (const index of [0, 1, 2])
      expect(whole(join(app(index), next ?? ''))).toEqual(whole(project.workspace))
    expect(names(app(1), 'releases')).toHaveLength(1)
    expect(leftovers()).toEqual([])
  })

  test('what listeners to events have begun on the servers runs to its end', async () => {
    const { project, fleet } = await embedded(2)
    writeFileSync(join(project.workspace, 'file'), 'content')
    const lines = [
      'const base = module.exports',
      'module.exports = (shipit) => {',
      '  base(shipit)',
      '  const next = () => shipit.remote("sleep 1; touch ~/second")',
      '  shipit.on("published", () => void shipit.remote("sleep 4; touch ~/first").then(next))',
      '}',
    ]
    appendFileSync(join(project.directory, 'shipitfile.js'), lines.join('\n'))
    expect(await project.run()).toMatchObject({ code: 0, stderr: '' })
    for (const { home } of fleet.servers)
      expect(names(home)).toEqual(expect.arrayContaining(['first', 'second']))
  })

  test('a repository: REVISION, what other plugins read, and rollback', async () => {
    const { project, app, current, configure } = await embedded(2)
    const repository = join(project.root, 'repository')
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        encoding: 'utf8',
      }).trim()
    execFileSync('git', ['init', '-q', '-b', 'main', repository])
    writeFileSync(join(repository, 'file'), 'one')
    writeFileSync(join(repository, 'secret'), 'ignored')
    git('add', '.')
    git('commit', '-qm', 'one')
    const one = git('rev-parse', 'HEAD')
    configure({
      repositoryUrl: repository,
      branch: 'main',
      keepWorkspace: false,
      shallowClone: true,
      ignores: ['.git', 'secret'],
    })
    expect(await project.run()).toMatchObject({ code: 0 })
    const [first] = current()
    expect(names(app(0), first ?? '')).toEqual(['REVISION', 'file'])
    expect(readFileSync(join(app(0), first ?? '', 'REVISION'), 'utf8')).toBe(`${one}\n`)
    expect(project.seen().map(({ event }) => event)).toEqual([
      'deploy',
      'fetched',
      'updated',
      'published',
      'cleaned',
      'deployed',
    ])
    const updated = project.seen().find(({ event }) => event === 'updated')
    expect(updated).toMatchObject({ previousRelease: null, previousRevision: null, currentRevision: one })
    expect(project.leftovers()).toEqual([]) // the shallow clone too

    writeFileSync(join(repository, 'file'), 'two')
    git('commit', '-qam', 'two')
    // shallowClone: false keeps its workspace, which shipit-deploy wants to be there.
    configure({
      repositoryUrl: repository,
      branch: 'main',
      keepWorkspace: false,
      shallowClone: false,
      dirToCopy: '.',
      ignores: ['.git'],
    })
    expect(await project.run()).toMatchObject({ code: 0 })
    const [second] = current()
    expect(project.seen().find(({ event }) => event === 'published')).toMatchObject({
      previousRelease: first?.split('/').at(-1),
      previousRevision: one,
      releaseDirname: second?.split('/').at(-1),
      currentRevision: git('rev-parse', 'HEAD'),
    })
    expect(names(project.workspace)).toContain('file')
    expect(readFileSync(join(app(1), 'current/file'), 'utf8')).toBe('two')

    expect(await project.run('rollback')).toMatchObject({ code: 0 })
    expect(current()).toEqual([first, first])
    // After a rollback the newest release is not the live one.
    expect(await project.run()).toMatchObject({ code: 0 })
    expect(readFileSync(join(app(0), 'current/file'), 'utf8')).toBe('two')
    expect(project.seen().find(({ event }) => event === 'updated')).toMatchObject({
      previousRelease: first?.split('/').at(-1),
    })
  })

  test('rsyncFrom and dirToCopy name what is deployed, ignores what is not', async () => {
    const { project, app, configure } = await embedded(1)
    const elsewhere = plant(join(project.root, 'elsewhere'), {
      'build/app.js': 'app',
      'build/app.js.map': 'map',
      'build/sub/keep.me': '',
      'build/sub/drop.me': '',
      'build/sub/config/secrets.yml': '',
      'build/#scratch#': '',
      'build/logs/a/b': '',
      'src/app.ts': 'source',
    })
    configure({
      rsyncFrom: elsewhere,
      dirToCopy: 'build',
      ignores: ['*.map', 'config/secrets.yml', '#scratch#', 'logs/***'],
      murder: { ignore: ['/sub/*', '!keep.me', '!config'] },
    })
    expect(await project.run()).toMatchObject({ code: 0 })
    expect(names(app(0), 'current')).toEqual(['app.js', 'sub'])
    expect(names(app(0), 'current/sub')).toEqual(['config', 'keep.me'])
    expect(names(app(0), 'current/sub/config')).toEqual([])

    // What is left out of the package is the server's own, and stays.
    plant(join(app(0), 'current'), { 'logs/own/today': 'log', 'other.map/one': '', 'sub/own': '', stale: '' })
    const again = await project.run()
    expect(again).toMatchObject({ code: 0 })
    expect(again.stdout).toMatch(/^carried over +3 files, 3 B: logs, other.map, sub\/own$/m)
    expect(names(app(0), 'current')).toEqual(['app.js', 'logs', 'other.map', 'sub'])
    expect(readFileSync(join(app(0), 'current/logs/own/today'), 'utf8')).toBe('log')
  })

  test('deploy.remoteCopy makes the release what rsync would make it', async () => {
    const { project, app, configure } = await embedded(1)
    const workspace = plant(join(project.root, 'workspace2'), {
      'bin/run': 'run',
      'bin/run.map': '',
      drop: '',
    })
    symlinkSync('bin/run', join(workspace, 'run'))
    configure({
      rsyncFrom: workspace,
      ignores: ['*'],
      deploy: {
        remoteCopy: {
          copyAsDir: true,
          ignores: ['drop'],
          rsync: ['-L', "--exclude='*.map'", '--chmod=F751'],
        },
      },
    })
    expect(await project.run()).toMatchObject({ code: 0 })
    const release = join(app(0), 'current/workspace2')
    expect(names(app(0), 'current/workspace2')).toEqual(['bin', 'run'])
    expect(names(app(0), 'current/workspace2/bin')).toEqual(['run'])
    expect(readFileSync(join(release, 'run'), 'utf8')).toBe('run')
    expect(lstatSync(join(release, 'run')).mode & 0o7777).toBe(0o751)
    expect(lstatSync(join(release, 'run')).isFile()).toBe(true)
  })

  test('a server of the fleet seeds, other settings come from the environment', async () => {
    const { project, app, fleet, current, leftovers } = await embedded(3)
    nastyTree(project.workspace)
    const seeder = `${fleet.servers[1]?.host}:${fleet.servers[1]?.port}`
    const run = await project.run('deploy', {
      MURDER_SEEDER: seeder,
      MURDER_COMPRESSION: 'gzip',
      MURDER_OUTPUT: 'json',
    })
    expect(run).toMatchObject({ code: 0, stderr: '' })
    const [release = ''] = current()
    for (const index of [0, 1, 2]) expect(whole(join(app(index), release))).toEqual(whole(project.workspace))
    expect(leftovers()).toEqual([])
    expect(await quiet(project.root)).toEqual([])
  })

  test('what a peer says while others unpack is no progress of unpacking', async () => {
    const it = await embedded(2)
    for (let index = 0; index < 6000; index++) writeFileSync(join(it.project.workspace, `${index}`), 'x')
    const run = await it.project.run('deploy', { MURDER_OUTPUT: 'json' })
    expect(run).toMatchObject({ code: 0, stderr: '' })
    const events = run.stdout
      .split('\n')
      .filter((line) => line.startsWith('{"event":"progress"'))
      .map((line) => JSON.parse(line))
    const late = events.filter(({ step }) => step === 'unpack' || step === 'done')
    expect(late).not.toEqual([])
    for (const event of late) expect(event).toMatchObject({ bytes: 0, total: 0, rate: 0 })
  })

  test.each([0, 1])('a release of %i bytes', async (bytes) => {
    const { project, app } = await embedded(2)
    plant(project.workspace, { file: { content: Buffer.alloc(bytes, 'x') } })
    for (const _ of ['first', 'second']) {
      expect(await project.run()).toMatchObject({ code: 0, stderr: '' })
      for (const index of [0, 1]) expect(whole(join(app(index), 'current'))).toEqual(whole(project.workspace))
      appendFileSync(join(project.workspace, 'file'), '')
    }
  })
})

test('more servers than Node expects listeners of one signal: no warning of it', async () => {
  const { project, current } = await embedded(11)
  plant(project.workspace, { file: 'content' })
  expect(await project.run()).toMatchObject({ code: 0, stderr: '' })
  expect(new Set(current()).size).toBe(1)
})
