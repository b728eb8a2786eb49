import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import bencode from 'bencode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundledAgent, freePort, Sandbox } from '../support/harness/agent-harness.ts'

const bundled = bundledAgent()
let sandbox: Sandbox
let tracker: number

beforeEach(async () => {
  sandbox = await Sandbox.make(bundled.program)
  tracker = await freePort()
  for (const name of ['a', 'a.b/x', 'a-c', 'sub/b', 'sub/tool'])
    await sandbox.file(`tree/${name}`, name.repeat(9000))
  await chmod(sandbox.path('tree/sub/tool'), 0o755)
  await symlink('tool', sandbox.path('tree/sub/link'))
  await mkdir(sandbox.path('tree/empty'))
  await utimes(sandbox.path('tree/sub'), 1e9, 1e9)
})
afterEach(() => sandbox.end())

const make = (...flags: string[]) =>
  sandbox.run(['make-torrent', 'tree', `127.0.0.1:${tracker}`, 'tree.torrent', '--json', ...flags])
const peer = (...flags: string[]) =>
  sandbox.run(['peer', 'tree.torrent', 'copy', '--no-linger', '--ports', '20000-29999', ...flags])

/** Tracker and seeder of the tree. */
async function serve(): Promise<void> {
  await sandbox.run(['tracker', '--port', String(tracker)])
  expect(await sandbox.run(['seed', 'tree.torrent', 'tree', '--ports', '20000-29999'])).toMatchObject({
    code: 0,
  })
}

const verify = async (path: string, ...flags: string[]) => {
  const { code, stdout } = await sandbox.run(['verify', 'tree.torrent', path, '--json', ...flags])
  const all = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { code, others: all.filter(({ state }) => state !== 'same') }
}

describe('a directory', () => {
  it('may be named by a symlink to it', async () => {
    await make()
    await serve()
    await mkdir(sandbox.path('real'))
    await symlink('real', sandbox.path('copy'))
    expect(await peer('--delete')).toMatchObject({ code: 0, stdout: 'Done and done\n' })
    expect(await verify('copy')).toEqual({ code: 0, others: [] })
    expect(existsSync(sandbox.path('real/sub/tool'))).toBe(true)
  })

  it('comes with its attributes; its source stays as it was', async () => {
    const before = readdirSync(sandbox.path('tree'))
    await make()
    await serve()
    expect(await peer()).toMatchObject({ code: 0, stdout: 'Done and done\n' })
    expect(await verify('copy')).toEqual({ code: 0, others: [] })
    expect(await verify('tree')).toEqual({ code: 0, others: [] })
    const nothing = await verify('nothing')
    expect(nothing.code).toBe(1)
    expect(new Set(nothing.others.map(({ state }) => state))).toEqual(new Set(['missing']))
    expect(readdirSync(sandbox.path('tree'))).toEqual(before)
    expect(statSync(sandbox.path('copy/sub/tool')).mode & 0o777).toBe(0o755)
    expect(statSync(sandbox.path('copy/sub')).mtimeMs).toBe(1e12)
    expect(existsSync(sandbox.path('copy/empty'))).toBe(true)
    await chmod(sandbox.path('copy/a'), 0o600)
    await writeFile(sandbox.path('copy/sub/b'), 'B')
    await rm(sandbox.path('copy/empty'), { recursive: true })
    expect(await verify('copy')).toEqual({
      code: 1,
      others: [
        { path: 'a', state: 'different', differences: ['mode 0600, not 0644'] },
        { path: 'sub/b', state: 'different' },
        { path: '.', state: 'different', differences: [expect.stringMatching(/^time /)] },
        { path: 'empty', state: 'missing' },
      ],
    })
    expect((await verify('copy', '--no-attributes')).others).toEqual([{ path: 'sub/b', state: 'different' }])
  })

  it('loses files that are not in the torrent only with --delete', async () => {
    await make()
    await serve()
    await sandbox.file('copy/mine', 'x')
    await sandbox.file('outside/mine', 'x')
    await symlink('../outside', sandbox.path('copy/way out'))
    await peer()
    expect(existsSync(sandbox.path('copy/mine'))).toBe(true)
    expect(await peer('--delete')).toMatchObject({ code: 0 })
    expect(readdirSync(sandbox.path('copy')).sort()).toEqual(
      [...readdirSync(sandbox.path('tree')), '.murder.mtree'].sort(),
    )
    expect(existsSync(sandbox.path('outside/mine'))).toBe(true)
  })

  it('comes without attributes when told so', async () => {
    await make('--no-attributes')
    await serve()
    await peer()
    expect(readFileSync(sandbox.path('copy/sub/link'), 'utf8')).toBe('sub/tool'.repeat(9000))
    expect(existsSync(sandbox.path('copy/.murder.mtree'))).toBe(false)
    expect(statSync(sandbox.path('copy/a')).mode & 0o777).toBe(0o666 & ~process.umask())
  })
})

it('is not seeded when a file has changed since, with the same length too', async () => {
  await make()
  await writeFile(sandbox.path('tree/a'), 'b'.repeat(9000))
  const refused = await sandbox.run(['seed', 'tree.torrent', 'tree'])
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\/tree\/a is not what the torrent describes/),
  })
})

describe('its torrent', () => {
  const info = () => bencode.decode(readFileSync(sandbox.path('tree.torrent'))) as Record<string, unknown>

  it('has the infohash that mktorrent makes', async () => {
    const flags = ['--no-attributes', '--piece-length', '32K', '--name', 'other']
    for (const [ours, theirs] of [
      [[], ['-p']],
      [['--no-private'], []],
    ] as const) {
      const { stdout } = await make(...flags, ...ours)
      const args = [
        '-d',
        '-l',
        '15',
        '-n',
        'other',
        '-a',
        'http://10.0.0.1:1/announce',
        '-o',
        sandbox.path('m.torrent'),
      ]
      await rm(sandbox.path('m.torrent'), { force: true })
      execFileSync('mktorrent', [...args, ...theirs, sandbox.path('tree')], { stdio: 'pipe' })
      const made = await sandbox.run([
        'make-torrent',
        'tree',
        '10.0.0.1:1',
        'o.torrent',
        '--json',
        ...flags,
        ...ours,
      ])
      expect(JSON.parse(made.stdout).infoHash).toBe(JSON.parse(stdout).infoHash)
      const { info: mine } = bencode.decode(readFileSync(sandbox.path('o.torrent'))) as { info: object }
      const { info: other } = bencode.decode(readFileSync(sandbox.path('m.torrent'))) as { info: object }
      expect(Buffer.from(bencode.encode(mine as never))).toEqual(Buffer.from(bencode.encode(other as never)))
    }
  })

  it('names web seeds, a comment, and not what is excluded', async () => {
    const seeds = ['http://10.0.0.1/files/', 'http://10.0.0.2/']
    await make(...seeds.flatMap((url) => ['--web-seed', url]), '--comment', 'for all', '--exclude', 'sub/')
    const torrent = info()
    expect((torrent['url-list'] as Uint8Array[]).map((url) => Buffer.from(url).toString())).toEqual(seeds)
    expect(Buffer.from(torrent.comment as Uint8Array).toString()).toBe('for all')
    const listed = JSON.stringify(
      (torrent.info as { files: { path: Uint8Array[] }[] }).files.map(({ path }) =>
        path.map((part) => Buffer.from(part).toString()),
      ),
    )
    expect(listed).toBe('[["a"],["a-c"],["a.b","x"],[".murder.mtree"]]')
    expect(await make('--web-seed', 'somewhere')).toMatchObject({ code: 2 })
  })

  it('puts its manifest into the directory when told so', async () => {
    await make('--write-manifest')
    expect(await verify('tree')).toEqual({ code: 0, others: [] })
    expect(statSync(sandbox.path('tree/.murder.mtree')).size).toBeGreaterThan(100)
  })
})
