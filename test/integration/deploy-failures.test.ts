import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Embedded, embedded } from '../support/harness/deploy-embedded.ts'
import { names } from '../support/harness/deploy-project.ts'
import { quiet } from '../support/processes.ts'

/** A release that takes a few seconds at the limit of `slow`. */
function plantRelease({ project }: Embedded): void {
  writeFileSync(join(project.workspace, 'file'), randomBytes(6_000_000))
  for (let index = 0; index < 200; index++)
    writeFileSync(join(project.workspace, `small ${index}`), String(index))
}
const slow = { MURDER_DOWNLOAD_LIMIT: '1M' }

/** Gives every server a `node` of its own: the real one, but where `fault` (sh, sees the arguments) steps in. */
function ownNode({ fleet }: Embedded, faults: Record<number, string>): string {
  for (const [index, { home }] of fleet.servers.entries()) {
    const script = `#!/bin/sh\n${faults[index] ?? ''}\nexec '${process.execPath}' "$@"\n`
    writeFileSync(join(home, 'node'), script)
    chmodSync(join(home, 'node'), 0o755)
  }
  return join(fleet.home, 'node')
}

/** Nothing is published or left anywhere, and a deploy right afterwards works. */
async function clean(it: Embedded, releases: number): Promise<void> {
  expect(await quiet(it.project.root)).toEqual([])
  expect(it.leftovers()).toEqual([])
  for (const index of it.fleet.servers.keys()) expect(names(it.app(index), 'releases')).toHaveLength(releases)
  it.configure()
  expect(await it.project.run()).toMatchObject({ code: 0 })
  for (const index of it.fleet.servers.keys())
    expect(
      readFileSync(join(it.app(index), 'current/file')).equals(
        readFileSync(join(it.project.workspace, 'file')),
      ),
    ).toBe(true)
}

describe('one server fails', () => {
  test.each([
    [
      'Node dies at the transfer',
      'case "$*" in *receive*) echo "boom: no more memory" >&2; exit 9;; esac',
      /^server +step +cause.*\n\S+ +transfer +boom: no more memory/m,
    ],
    [
      'unpacking finds the release there already',
      'case "$*" in *receive*) o=; while [ -z "$o" ]; do read -r o || exit 9; done; d=$(printf %s "$o" | sed \'s/.*"into":"\\([^"]*\\)".*/\\1/\'); mkdir -p "$d"; touch "$d/x"; printf %s "$o" | PLACEHOLDER; exit $?;; esac',
      /^\S+: unpack\n +cause +\S+ is there already and not\n +empty\n +cure +see whether/m,
    ],
  ])('%s', async (_, fault, message) => {
    const it = await embedded(3)
    plantRelease(it)
    expect(await it.project.run()).toMatchObject({ code: 0 })
    const before = it.current()
    const node = ownNode(it, { 1: fault.replace('PLACEHOLDER', `'${process.execPath}' "$@"`) })
    it.configure({ murder: { node } })
    writeFileSync(join(it.project.workspace, 'file'), randomBytes(3_000_000))
    const file = join(it.project.root, 'report.json')
    const run = await it.project.run('deploy', { MURDER_REPORT: file })
    expect(run.code).toBe(1)
    expect(run.stdout).toMatch(message)
    const report = JSON.parse(readFileSync(file, 'utf8'))
    expect(report).toMatchObject({ exitCode: 1, published: false })
    expect(report.size).toBeGreaterThan(3_000_000)
    expect(report.seederUploaded).toBeGreaterThan(0)
    expect(Object.keys(report.phases)).toEqual(['check', 'package', 'seed', 'transfer', 'unpack'])
    expect(run.stdout).not.toContain('deploy:publish')
    expect(it.current()).toEqual(before)
    // What others have put there is not this deploy's to remove.
    const others = names(it.app(1), 'releases').filter((name) =>
      existsSync(join(it.app(1), 'releases', name, 'x')),
    )
    expect(others).toHaveLength(run.stdout.includes('is there already') ? 1 : 0)
    for (const name of others) rmSync(join(it.app(1), 'releases', name), { recursive: true })
    await clean(it, 1)
  })
})

describe('interrupted', () => {
  test.each([
    ['while the servers are asked', /Running 'deploy:init'/, {}],
    ['in the middle of packaging', /^package/m, {}],
    ['in the middle of the transfer', /^transfer [1-9]/m, slow],
    ['while unpacking', /^unpack/m, slow],
  ])('%s', async (_, moment, env) => {
    const it = await embedded(3)
    plantRelease(it)
    const running = it.project.start('deploy', env)
    await running.said(moment)
    running.signal('SIGINT')
    const run = await running.ended
    expect(run.code).toBe(130)
    expect(it.current()).toEqual([undefined, undefined, undefined])
    await clean(it, 0)
  })
})

describe('the deploy host', () => {
  test('cannot fetch: says what git was asked, and keeps no clone', async () => {
    const it = await embedded(1)
    execFileSync('git', ['init', '--quiet', '--bare', join(it.project.root, 'repository')])
    it.configure({
      ...{ workspace: '', shallowClone: true, keepWorkspace: false, branch: 'nosuch' },
      repositoryUrl: join(it.project.root, 'repository'),
    })
    const run = await it.project.run()
    expect(run.code).toBe(1)
    expect(run.stdout).toContain('Command failed: git fetch')
    expect(it.leftovers()).toEqual([])
  })

  test('is killed in the middle: seeder and tracker end, the next deploy works at once', async () => {
    const it = await embedded(2)
    plantRelease(it)
    const running = it.project.start('deploy', slow)
    await running.said(/^transfer [1-9]/m)
    running.child.kill('SIGKILL')
    await running.ended
    expect(await quiet(`${it.project.temporary}/`)).toEqual([])
    expect(await it.project.run('deploy')).toMatchObject({ code: 0 })
    expect(existsSync(join(it.app(1), 'current/file'))).toBe(true)
  })

  test('loses the connection to one server in the middle: connects again and completes', async () => {
    const it = await embedded(2)
    plantRelease(it)
    const running = it.project.start('deploy', slow)
    await running.said(/^transfer [1-9]/m)
    it.fleet.servers[0]?.disconnect()
    const run = await running.ended
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toMatch(/^deploy@127.0.0.2:\d+: the connection broke; connecting again/m)
    const [release] = it.current()
    expect(it.current()).toEqual([release, release])
    await clean(it, 1)
  })

  test('loses one server for good: nothing is published, and it is said what may be left', async () => {
    const it = await embedded(3)
    plantRelease(it)
    const running = it.project.start('deploy', { ...slow, MURDER_STALL_TIMEOUT: '5' })
    await running.said(/^transfer [1-9]/m)
    await it.fleet.servers[0]?.stop()
    const run = await running.ended
    expect(run.code).toBe(1)
    expect(run.stdout).toMatch(/^deploy@127.0.0.2:\d+ +transfer +\S/m)
    expect(run.stdout).toMatch(/^deploy@127.0.0.2:\d+: what was half made could not be removed/m)
    const since = run.stdout.slice(run.stdout.search(/^transfer [1-9]/m))
    expect(since).not.toMatch(/^check: /m) // no second display
    expect(run.stdout).toContain('1 of 3 servers failed: nothing was published')
    expect(it.current()).toEqual([undefined, undefined, undefined])
    for (const index of [1, 2]) expect(names(it.app(index), 'releases')).toEqual([])
  })

  test('removes what an earlier one left of a seeder on a server, and nothing of others', async () => {
    const it = await embedded(1)
    writeFileSync(join(it.project.workspace, 'file'), 'content')
    const temporary = join(it.app(0), 'shared/murder/tmp')
    for (const path of ['20200101000000/seeder', 'others/seeder'])
      mkdirSync(join(temporary, path), { recursive: true })
    for (const name of ['package', 'package.torrent', 'secret'])
      writeFileSync(join(temporary, '20200101000000/seeder', name), 'left')
    writeFileSync(join(temporary, 'others/seeder/package'), 'left')
    expect(await it.project.run()).toMatchObject({ code: 0 })
    expect(names(temporary)).toEqual(['others'])
    expect(names(temporary, 'others/seeder')).toEqual(['package'])
  })

  test('loses the server that seeds for good: says what failed, and keeps nothing here', async () => {
    const it = await embedded(3)
    plantRelease(it)
    const { host, port } = it.fleet.servers[0] ?? {}
    const running = it.project.start('deploy', {
      ...slow,
      MURDER_SEEDER: `${host}:${port}`,
      MURDER_STALL_TIMEOUT: '2',
    })
    await running.said(/^transfer [1-9]/m)
    await it.fleet.servers[0]?.stop()
    const run = await running.ended
    expect(run.code).toBe(1)
    expect(run.stdout).toMatch(/^\d of 3 servers failed: nothing was published/m)
    expect(it.current()).toEqual([undefined, undefined, undefined])
    expect(it.project.leftovers()).toEqual([])
  })
})
