import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sha256Of } from '../../../../../src/files/hash.ts'
import { keepBase } from '../../../../../src/package/delta/base/keep-base.ts'
import { openKept } from '../../../../../src/package/delta/base/kept-base.ts'
import { manifestOfDirectory } from '../../../../../src/package/delta/base/manifest-of-directory.ts'
import { makeDelta } from '../../../../../src/package/delta/make-delta.ts'
import { scan } from '../../../../../src/package/pack/scan.ts'
import { plant, temporary } from '../../trees.ts'
import { collect, inParts } from '../delta-harness.ts'

const tree = () => ({
  place: randomBytes(700_001),
  inserted: randomBytes(300_000),
  grown: randomBytes(1_100_000),
  cut: randomBytes(400_000),
  'some/moved': randomBytes(200_000),
  rewritten: randomBytes(90_000),
  same: randomBytes(50_000),
  text: 'a line\n'.repeat(40_000),
})

/** A file of its own for each kind of edit. */
function edit(root: string): void {
  const change = (name: string, how: (old: Buffer) => Buffer) =>
    writeFileSync(join(root, name), how(readFileSync(join(root, name))))
  change('place', (old) => {
    randomBytes(100).copy(old, 200_000)
    randomBytes(70_000).copy(old, 450_000)
    return old
  })
  change('inserted', (old) => Buffer.concat([old.subarray(0, 5000), Buffer.from('new'), old.subarray(5000)]))
  appendFileSync(join(root, 'grown'), randomBytes(10_000))
  truncateSync(join(root, 'cut'), 399_000)
  change('some/moved', (old) => Buffer.concat([old.subarray(102_400), old.subarray(0, 102_400)]))
  writeFileSync(join(root, 'rewritten'), randomBytes(95_000))
  appendFileSync(join(root, 'text'), 'one more line\n')
}

interface Kept {
  directory: string
  root: string
}

const keep = ({ directory, root }: Kept, delta?: { from: string; bytes: Buffer }) =>
  keepBase({
    directory,
    root,
    entries: scan(root),
    contentLimit: 1e9,
    deltaFrom: (id) => (delta && id === delta.from ? inParts(delta.bytes) : undefined),
  })

async function deltaFrom({ directory, root }: Kept, id: string): Promise<Buffer> {
  const base = await openKept(directory, id)
  const manifest = await manifestOfDirectory(root, scan(root))
  try {
    return await collect(makeDelta({ root, manifest, base }))
  } finally {
    base.close()
  }
}

const idOf = async (root: string) => (await manifestOfDirectory(root, scan(root))).id

/** All that is kept of a base: rows of blocks, and content. */
async function keptOf(directory: string, id: string) {
  const base = await openKept(directory, id)
  const all = base.manifest.entries.map(({ path, size }, index) => {
    const source = base.open(index)
    const bytes = Buffer.alloc(size)
    const read = source?.read(bytes, 0)
    source?.close()
    return { path, rows: base.rowsOf(index)?.toString('hex'), read, hash: sha256Of(bytes) }
  })
  base.close()
  return all
}

/** That the content which is kept is that of the release. */
function expectContent(root: string, kept: Awaited<ReturnType<typeof keptOf>>): void {
  const files = kept.filter(({ path }) => statSync(join(root, path)).isFile())
  expect(files.length).toBe(Object.keys(tree()).length)
  for (const { path, hash } of files)
    expect([path, hash]).toEqual([path, sha256Of(readFileSync(join(root, path)))])
}

const segmentSizes = (directory: string) => {
  const place = join(directory, '.content')
  return readdirSync(place).map((name) => statSync(join(place, name)).size)
}

test('with a delta from the last base, only what is new is written, and the same is kept', async () => {
  const root = plant(temporary(), tree())
  const [one, other] = [join(temporary(), 'bases'), join(temporary(), 'bases')].map((directory) => ({
    directory,
    root,
  })) as [Kept, Kept]
  await keep(one)
  let from = await idOf(root)
  for (let round = 0; round < 2; round++) {
    const before = segmentSizes(one.directory).reduce((sum, size) => sum + size, 0)
    edit(root)
    await keep(one, { from, bytes: await deltaFrom(one, from) })
    const written = segmentSizes(one.directory).reduce((sum, size) => sum + size, 0) - before
    expect(written).toBeGreaterThan(170_000)
    expect(written).toBeLessThan(500_000)
    await keep(other)
    from = await idOf(root)
    const kept = await keptOf(one.directory, from)
    expect(kept).toEqual(await keptOf(other.directory, from))
    expectContent(root, kept)
  }
})

test.each([
  ['is cut', (delta: Buffer) => delta.subarray(0, delta.length / 2)],
  ['is none', () => randomBytes(1000)],
])('everything is read when the delta %s', async (_, damage) => {
  const kept = { directory: join(temporary(), 'bases'), root: plant(temporary(), tree()) }
  await keep(kept)
  const from = await idOf(kept.root)
  edit(kept.root)
  await keep(kept, { from, bytes: damage(await deltaFrom(kept, from)) })
  expectContent(kept.root, await keptOf(kept.directory, await idOf(kept.root)))
})

test('a delta that makes another release is not used', async () => {
  const kept = { directory: join(temporary(), 'bases'), root: plant(temporary(), tree()) }
  await keep(kept)
  const from = await idOf(kept.root)
  edit(kept.root)
  const bytes = await deltaFrom(kept, from)
  edit(kept.root)
  await keep(kept, { from, bytes })
  expectContent(kept.root, await keptOf(kept.directory, await idOf(kept.root)))
})

test('what is gone of the last base is read from the release', async () => {
  const kept = { directory: join(temporary(), 'bases'), root: plant(temporary(), tree()) }
  await keep(kept)
  const from = await idOf(kept.root)
  edit(kept.root)
  const bytes = await deltaFrom(kept, from)
  for (const name of readdirSync(join(kept.directory, '.content')))
    rmSync(join(kept.directory, '.content', name))
  await keep(kept, { from, bytes })
  expectContent(kept.root, await keptOf(kept.directory, await idOf(kept.root)))
})
