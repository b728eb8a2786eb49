import { existsSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isSettledAt, KnownHashes } from '../../../../../src/package/delta/base/known-hashes.ts'
import { manifestOfDirectory } from '../../../../../src/package/delta/base/manifest-of-directory.ts'
import { scan } from '../../../../../src/package/pack/scan.ts'
import { plant, temporary } from '../../trees.ts'

let root: string
let file: string
const path = () => join(root, 'file')
const HOUR_MS = 3_600_000

beforeEach(() => {
  root = plant(temporary(), { file: 'old!', other: 'other' })
  file = join(temporary(), 'made/hashes.json')
  // What was planted an hour ago does not change any more without a trace.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + HOUR_MS })
})
afterEach(() => void vi.useRealTimers())

/** How many files are read, and the hash of the one. */
async function look(options?: { trustsRecent: boolean }) {
  const known = new KnownHashes(file, options)
  let read = 0
  const counted = {
    of: (...[root, entry, compute]: Parameters<KnownHashes['of']>) =>
      known.of(root, entry, () => {
        read++
        return compute()
      }),
  }
  const { entries } = await manifestOfDirectory(root, scan(root), undefined, counted as KnownHashes)
  known.write()
  return { read, sha256: entries.find(({ path }) => path === 'file')?.sha256 }
}

/** Other content of the same length, with the same mtime. */
function edit(content: string): void {
  const { atime, mtime } = statSync(path())
  writeFileSync(path(), content)
  utimesSync(path(), atime, mtime)
}

test('what has not changed is not read again', async () => {
  const first = await look()
  expect(first.read).toBe(2)
  expect(await look()).toEqual({ ...first, read: 0 })
})

test('another size, mtime, ctime or inode is read', async () => {
  const { sha256 } = await look()
  edit('new!')
  const edited = await look()
  expect(edited.read).toBe(1)
  expect(edited.sha256).not.toBe(sha256)
  utimesSync(path(), 1, 1)
  expect((await look()).read).toBe(1)
  renameSync(join(root, 'other'), join(root, 'file'))
  expect(await look()).toMatchObject({ read: 1 })
})

test('what has just been written may change once more unseen: it is trusted in the same deploy only', async () => {
  vi.setSystemTime(statSync(path()).ctimeMs)
  expect((await look()).read).toBe(2)
  expect((await look({ trustsRecent: true })).read).toBe(0)
  expect((await look()).read).toBe(2)
})

test.each([
  ['fine times, at once', 1_000_000_123n, 1000, false],
  ['fine times, some ticks later', 1_000_000_123n, 1101, true],
  ['whole milliseconds, some ticks later', 1_001_000_000n, 1500, false],
  ['whole seconds, more than two later', 1_000_000_000n, 3001, true],
])('a file may change without a trace for a while: %s', (_, ctimeNs, nowMs, settled) => {
  expect(isSettledAt(nowMs, ctimeNs)).toBe(settled)
})

test('a file of hashes that is cut or of another version counts as none', async () => {
  await look()
  for (const content of ['{"version":1,"fi', '{"version":0,"files":[]}', 'null']) {
    writeFileSync(file, content)
    expect((await look()).read).toBe(2)
  }
})

test('without a file all is read, and nothing is written', async () => {
  const known = new KnownHashes()
  await manifestOfDirectory(root, scan(root), undefined, known)
  known.write()
  expect(existsSync(file)).toBe(false)
})
