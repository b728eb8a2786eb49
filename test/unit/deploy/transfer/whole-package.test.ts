import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { planTransfer } from '../../../../src/deploy/transfer/make-transfer.ts'
import { WholePackage } from '../../../../src/deploy/transfer/whole-package.ts'
import type { Entry } from '../../../../src/files/entry.ts'
import { manifestOfDirectory } from '../../../../src/package/delta/base/manifest-of-directory.ts'
import { temporary } from '../../package/trees.ts'

const LARGE_BYTES = 600_000
const MTIME_S = 1e9

/** A workspace with an empty, a small and a large file, how it would be packaged, and its id. */
async function planned(compression = 'none', form = 'file') {
  const root = temporary()
  const directory = temporary()
  mkdirSync(join(root, 'sub'))
  writeFileSync(join(root, 'empty'), '')
  writeFileSync(join(root, 'small'), 'small')
  writeFileSync(join(root, 'sub/large'), Buffer.alloc(LARGE_BYTES, 'large'))
  for (const name of ['empty', 'small', 'sub/large']) utimesSync(join(root, name), MTIME_S, MTIME_S)
  const settings = { package: form, ignore: [], compression, pieceLength: 16_384, seeder: 'local' }
  const display = { board: () => ({ step() {}, log() {} }) }
  const { signal } = new AbortController()
  const context = { settings, display, signal, shipit: { config: { workspace: root } } } as unknown as Context
  const listed: Entry[] = []
  const onScanned = (_: string, entries: readonly Entry[]) => void listed.push(...entries)
  const plan = planTransfer(context, { tag: '1', directory, peers: 1, zstdEverywhere: false, onScanned })
  const { id } = await manifestOfDirectory(root, listed)
  return { plan, root, id, directory }
}

test('what is known beforehand is what it becomes', async () => {
  const { plan } = await planned()
  expect(plan).toMatchObject({ tag: '1', contentBytes: LARGE_BYTES + 5, extent: { entries: 5 } })
  const made = await plan.make()
  expect(made.length).toBe(plan.estimatedBytes)
  expect(made).toMatchObject({ tag: '1', extent: plan.extent, compression: plan.compression })
  const { plan: packed } = await planned('gzip')
  expect(packed.compression).toBe('gzip')
  expect(packed.estimatedBytes).toBeLessThan(LARGE_BYTES / 2)
})

test('it is made once, whoever needs it, and a failure stays one', async () => {
  const { plan, root } = await planned()
  const whole = new WholePackage(plan)
  expect(whole.made).toBeUndefined()
  const [one, two] = await Promise.all([whole.make(), whole.make()])
  expect(one).toBe(two)
  expect(whole.made).toBe(one)
  const other = new WholePackage(plan)
  writeFileSync(join(root, 'small'), 'other and longer')
  await expect(other.make()).rejects.toThrow('small changed')
  writeFileSync(join(root, 'small'), 'small')
  await expect(other.make()).rejects.toThrow('small changed')
  expect(other.made).toBeUndefined()
})

test('it is given up where nobody needs it any more, leaves nothing, and can be made later', async () => {
  const { plan, directory } = await planned()
  const whole = new WholePackage(plan)
  await whole.abandon()
  const making = whole.make()
  await Promise.all([whole.abandon(), expect(making).rejects.toMatchObject({ code: 'INTERRUPTED' })])
  expect(whole.made).toBeUndefined()
  expect(readdirSync(directory)).toEqual([])
  const made = await whole.make()
  await whole.abandon()
  expect(whole.made).toBe(made)
  expect(statSync(made.file).size).toBe(made.length)
})

test.each([
  ['small', 'file'],
  ['sub/large', 'file'],
  ['small', 'directory'],
])(
  'where %s has changed without a trace in size and time, a %s is not what the deltas are of',
  async (name, form) => {
    const { plan, root, id, directory } = await planned('none', form)
    const clear = () => rmSync(join(directory, 'package'), { force: true })
    expect(await plan.make({ id })).toMatchObject({ tag: '1' })
    const path = join(root, name)
    writeFileSync(path, Buffer.alloc(statSync(path).size, 'x'))
    utimesSync(path, MTIME_S, MTIME_S)
    clear()
    expect(await plan.make()).toMatchObject({ tag: '1' })
    clear()
    await expect(plan.make({ id })).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  },
)
