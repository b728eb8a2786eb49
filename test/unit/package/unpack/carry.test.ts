import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { carryOver } from '../../../../src/package/unpack/carry.ts'
import { plant, survey, temporary, touch, unprivileged } from '../trees.ts'

const isRoot = process.getuid?.() === 0
const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0

const carry = (from: string, into: string) =>
  carryOver({ from, into, keeps: (path) => path.includes('kept'), typeAt: () => undefined })

it('copies what is kept with modes and times, makes the directories above it, and counts', async () => {
  const [from, into] = [temporary(), temporary()]
  plant(from, {
    'kept/deep/file': { content: 'abc', mode: 0o4751, at: '1600000000.25' },
    'kept/link': { link: '/nowhere' },
    'old/kept.env': 'abcd',
    'old/other': 'gone',
    'gone/empty/': {},
    'old/': { mode: 0o510 },
  })
  expect(await carry(from, into)).toEqual({
    ...{ files: 2, bytes: 7, names: ['kept', 'old/kept.env'], more: 0, skipped: [] },
  })
  const ours = (root: string) =>
    survey(root, (mtime) => String(mtime / 1000n)).filter(
      (line) => line.includes('kept') || line.startsWith('"old"'),
    )
  expect(ours(into)).toEqual(ours(from))
  expect(readdirSync(into)).toEqual(['kept', 'old'])
})

it('leaves what the release has, and never takes the REVISION of another', async () => {
  const [from, into] = [temporary(), temporary()]
  plant(from, { REVISION: 'kept', 'kept/a': 'old', 'kept/b': 'old', 'was/kept': 'old', kept2: 'old' })
  plant(into, { 'kept/a': 'new', was: 'new', 'kept2/': {} })
  const have = new Map<string, 'file' | 'directory'>([
    ['kept', 'directory'],
    ['kept/a', 'file'],
    ['was', 'file'],
    ['kept2', 'directory'],
  ])
  const all = { from, into, keeps: () => true, typeAt: (path: string) => have.get(path) }
  expect(await carryOver(all)).toMatchObject({ files: 1, names: ['kept/b'] })
  expect(readdirSync(into).sort()).toEqual(['kept', 'kept2', 'was'])
  expect(readFileSync(join(into, 'kept/a'), 'utf8')).toBe('new')
})

it('makes copies of hard links, so that no release changes with another', async () => {
  const [from, into] = [temporary(), temporary()]
  writeFileSync(join(from, 'kept'), '1')
  linkSync(join(from, 'kept'), join(from, 'kept too'))
  await carry(from, into)
  expect(lstatSync(join(into, 'kept')).nlink).toBe(1)
  expect(lstatSync(join(into, 'kept')).ino).not.toBe(lstatSync(join(from, 'kept')).ino)
})

it('follows no symlink, names what it skips, and keeps names that are not UTF-8', async () => {
  const [from, into, outside] = [temporary(), temporary(), plant(temporary(), { kept: 'secret' })]
  symlinkSync(outside, join(from, 'elsewhere'))
  execFileSync('mkfifo', [join(from, 'kept\nfifo')])
  const odd = Buffer.concat([Buffer.from(`${from}/kept-`), Buffer.from([0xff])])
  writeFileSync(odd, 'x')
  expect(await carry(from, into)).toMatchObject({ files: 1, skipped: ['"kept\\nfifo (a named pipe)"'] })
  expect(readdirSync(into, { encoding: 'latin1' })).toEqual(['kept-\xff'])
})

it.skipIf(!isRoot)('keeps owners, as cp -a does', async () => {
  const [from, into] = [temporary(), temporary()]
  mkdirSync(join(from, 'kept'))
  writeFileSync(join(from, 'kept/file'), '')
  symlinkSync('file', join(from, 'kept/link'))
  chownSync(join(from, 'kept/file'), 1234, 4321)
  chmodSync(join(from, 'kept/file'), 0o6755)
  execFileSync('chown', ['-h', '1234', join(from, 'kept/link'), join(from, 'kept')])
  touch(join(from, 'kept'), '1600000000')
  await carry(from, into)
  const attributes = (root: string, path: string) => {
    const { uid, gid, mode } = lstatSync(join(root, path))
    return { uid, gid, mode }
  }
  for (const path of ['kept', 'kept/file', 'kept/link'])
    expect(attributes(into, path)).toEqual(attributes(from, path))
})

it.skipIf(!isRoot)(
  'drops setuid where the owner cannot be kept, and fails in words for what it may not read',
  async () => {
    const [from, into] = [temporary(), temporary()]
    plant(from, { kept: { mode: 0o4755 }, 'other/file': '' })
    for (const path of [from, into]) chmodSync(path, 0o755)
    chmodSync(join(from, 'other'), 0o700)
    chownSync(into, 65534, 65534)
    await unprivileged(() => carry(from, into))
    expect(lstatSync(join(into, 'kept')).mode & 0o7777).toBe(0o755)
    writeFileSync(join(from, 'kept.env'), 'secret', { mode: 0o600 })
    const again = temporary()
    chownSync(again, 65534, 65534)
    await expect(unprivileged(() => carry(from, again))).rejects.toMatchObject({
      code: 'CARRY_UNREADABLE',
      message: `cannot carry ${join(from, 'kept.env')} over: permission denied`,
    })
  },
)

it.skipIf(!canMount)('enters no other file system, not even a bind mount', async () => {
  const [from, into, other] = [temporary(), temporary(), plant(temporary(), { file: '' })]
  const point = join(from, 'kept dir/in')
  mkdirSync(point, { recursive: true })
  execFileSync('mount', ['--bind', other, point])
  try {
    const { skipped } = await carry(from, into)
    expect(skipped).toEqual(['"kept dir/in (another file system)"'])
    expect(readdirSync(join(into, 'kept dir'))).toEqual([])
  } finally {
    execFileSync('umount', [point])
  }
})
