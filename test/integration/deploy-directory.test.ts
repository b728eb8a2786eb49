import { randomBytes } from 'node:crypto'
import { lstatSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { embedded } from '../support/harness/deploy-embedded.ts'
import { nastyTree } from '../support/harness/nasty-tree.ts'
import { quiet } from '../support/processes.ts'
import { plant, survey } from '../unit/package/trees.ts'

/** Bytes that the second release has and the first has not. */
const CHANGED = 800_000
const whole = (root: string) => survey(realpathSync(root), (mtime) => String(mtime / 1000n))
const asDirectory = { murder: { package: 'directory' } } as const

describe("package: 'directory'", () => {
  test('brings every entry as it is, and then a delta to those that have it', async () => {
    const { project, app, current, leftovers } = await embedded(3, asDirectory)
    nastyTree(project.workspace)
    const changing = () => plant(project.workspace, { changing: { content: randomBytes(600_000) } })
    changing()
    const report = join(project.root, 'report.json')
    const first = await project.run('deploy', { MURDER_REPORT: report })
    expect(first).toMatchObject({ code: 0, stderr: '' })
    const [release] = current()
    expect(current()).toEqual([release, release, release])
    for (const index of [0, 1, 2])
      expect(whole(join(app(index), release ?? ''))).toEqual(whole(project.workspace))
    expect(leftovers()).toEqual([])
    expect(await quiet(project.root)).toEqual([])

    rmSync(app(1), { recursive: true })
    changing() // its size is the same
    plant(project.workspace, { 'new file': { content: randomBytes(200_000) } })
    const second = await project.run('deploy', { MURDER_REPORT: report })
    expect(second).toMatchObject({ code: 0, stderr: '' })
    const [next] = current()
    expect(next).not.toBe(release)
    for (const index of [0, 1, 2])
      expect(whole(join(app(index), next ?? ''))).toEqual(whole(project.workspace))
    const { servers } = JSON.parse(readFileSync(report, 'utf8')) as {
      servers: { received: number; delta?: object }[]
    }
    const [old, fresh] = servers
    expect(old?.delta).toBeDefined()
    expect(old?.received).toBeLessThan(CHANGED + 100_000) // A late block may come twice.
    expect(fresh?.delta).toBeUndefined()
    expect(fresh?.received).toBeGreaterThan(3_800_000)
    // The releases must not change together.
    const inode = (name: string) => lstatSync(join(app(0), name, 'random.bin'))
    expect(inode(release ?? '').ino).not.toBe(inode(next ?? '').ino)
    expect(inode(next ?? '').nlink).toBe(1)
    expect(leftovers()).toEqual([])
  })

  test('in single steps too', async () => {
    const { project, app, leftovers } = await embedded(2, asDirectory)
    nastyTree(project.workspace)
    const run = await project.run('murder:distribute', { MURDER_TAG: 'one' })
    expect(run).toMatchObject({ code: 0, stderr: '' })
    for (const index of [0, 1])
      expect(whole(join(app(index), 'releases/one'))).toEqual(whole(project.workspace))
    expect(leftovers().filter((name) => name !== 'one')).toEqual([])
  })

  test('fills a directory that holds other files', async () => {
    const { project, fleet } = await embedded(1, asDirectory)
    plant(project.workspace, { 'a/b': 'new', c: 'c' })
    const target = join(fleet.servers[0]?.home ?? '', 'files')
    plant(target, { 'a/b': 'old', 'a/x': 'kept' })
    const env = { MURDER_DESTINATION_PATH: join(fleet.home, 'files'), MURDER_NO_TAG_DIRECTORY: '1' }
    expect(await project.run('murder:distribute', env)).toMatchObject({ code: 0, stderr: '' })
    const read = (name: string) => readFileSync(join(target, name), 'utf8')
    expect([read('a/b'), read('a/x'), read('c')]).toEqual(['new', 'kept', 'c'])
  })

  test.each([
    ['encrypt', { encrypt: true }, /murder\.package is 'directory', but murder\.encrypt/],
    ['a seeder elsewhere', { seeder: 'SERVER' }, /murder\.package is 'directory', but murder\.seeder is/],
  ])('is refused with %s', async (_, more, message) => {
    const { project, fleet, configure, leftovers } = await embedded(1)
    const { user, host, port } = fleet.remotes[0] ?? {}
    const seeder = `${user}@${host}:${port}`
    const murder = { package: 'directory', ...more, ...('seeder' in more ? { seeder } : {}) } as never
    configure({ murder })
    plant(project.workspace, { file: 'x' })
    const run = await project.run()
    expect(run.code).toBe(2)
    expect(run.stdout + run.stderr).toMatch(message)
    expect(leftovers()).toEqual([])
  })
})
