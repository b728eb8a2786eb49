import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keepBase } from '../../../../src/package/delta/base/keep-base.ts'
import { isKept, openKept } from '../../../../src/package/delta/base/kept-base.ts'
import { manifestOfDirectory } from '../../../../src/package/delta/base/manifest-of-directory.ts'
import { readRecord, writeRecord } from '../../../../src/package/delta/base/record.ts'
import { type Delivered, manifestOf } from '../../../../src/package/delta/format/manifest.ts'
import { makeDelta } from '../../../../src/package/delta/make-delta.ts'
import { pack } from '../../../../src/package/pack/pack.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { unpack } from '../../../../src/package/unpack/unpack.ts'
import { plant, temporary } from '../trees.ts'
import { collect } from './delta-harness.ts'

const tree = () => ({
  'a/empty': '',
  'a/small': 'small',
  'a/ünï': { content: 'x', mode: 0o755, at: '1700000000.999999999' },
  'b/old': { content: 'y', at: '-1.5' },
  'b/large': { content: randomBytes(700_000) },
})

describe('what is known of an earlier release', () => {
  test('server and deploy host know it by the same id', async () => {
    const root = plant(temporary(), tree())
    const entries = scan(root)
    const output = join(temporary(), 'package')
    await pack({ root, entries, output, compression: 'gzip', pieceLength: 1 << 16 })
    const made: Delivered[] = []
    const into = join(temporary(), 'releases/1')
    const onMade = (entry: Delivered, sha256?: string) =>
      void made.push(sha256 === undefined ? entry : { ...entry, sha256 })
    await unpack({ file: output, into, compression: 'gzip', onMade })
    const { id } = await manifestOfDirectory(root, entries)
    expect(manifestOf(made).id).toBe(id)

    const notes = join(temporary(), 'notes')
    plant(notes, { gone: 'of a release that is gone' })
    await writeRecord(join(notes, '1'), manifestOf(made), join(into, '..'))
    expect(readdirSync(notes)).toEqual(['1'])
    expect(readFileSync(join(notes, '1'), 'latin1').split('\n')[0]).toBe(id)
    expect((await readRecord(join(notes, '1'), id)).id).toBe(id)
    const changed = { code: 'BASE_CHANGED' }
    await expect(readRecord(join(notes, '1'), '0'.repeat(64))).rejects.toMatchObject(changed)
    await expect(readRecord(join(notes, '2'), id)).rejects.toMatchObject(changed)
    truncateSync(join(notes, '1'), 100)
    await expect(readRecord(join(notes, '1'), id)).rejects.toMatchObject(changed)
    writeFileSync(join(notes, '1'), randomBytes(1000))
    await expect(readRecord(join(notes, '1'), id)).rejects.toMatchObject(changed)
  })

  test('ten bases are kept, the newest with its content', async () => {
    const [root, directory] = [plant(temporary(), tree()), join(temporary(), 'bases')]
    const ids: string[] = []
    const keep = async (contentLimit: number) => {
      appendFileSync(join(root, 'a/small'), 'more')
      await keepBase({ directory, root, entries: scan(root), contentLimit })
      ids.push((await manifestOfDirectory(root, scan(root))).id)
    }
    const sizeOfDelta = async (id: string) => {
      const base = await openKept(directory, id)
      const manifest = await manifestOfDirectory(root, scan(root))
      try {
        return (await collect(makeDelta({ root, manifest, base }))).length
      } finally {
        base.close()
      }
    }
    const large = readFileSync(join(root, 'b/large'))
    await keep(1e9)
    writeFileSync(join(root, 'b/large'), Buffer.concat([large.subarray(0, 5000), large.subarray(4990)]))
    expect(await sizeOfDelta(ids[0] ?? '')).toBeLessThan(400)
    await keep(1000)
    expect(readdirSync(join(directory, ids[1] ?? ''))).toEqual(['signature'])
    expect(readdirSync(join(directory, ids[0] ?? ''))).toEqual(['signature'])
    expect(await sizeOfDelta(ids[0] ?? '')).toBeLessThan(5000)
    mkdirSync(join(directory, '.new-1')) // of a process that was killed
    for (let index = 2; index < 12; index++) await keep(1e9)
    const basesIn = () => readdirSync(directory).filter((name) => name !== '.content')
    expect(basesIn().sort()).toEqual(ids.slice(2).sort())
    expect(isKept(directory, ids[1] ?? '')).toBe(false)
    truncateSync(join(directory, ids[5] ?? '', 'signature'), 300)
    await expect(openKept(directory, ids[5] ?? '')).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
    rmSync(join(directory, ids[6] ?? ''), { recursive: true })
    expect(isKept(directory, ids[6] ?? '')).toBe(false)
  })

  test('what the last base has is not copied again, and copied anew when most of it is no more', async () => {
    const [root, directory] = [plant(temporary(), tree()), join(temporary(), 'bases')]
    const segments = () => {
      const place = join(directory, '.content')
      return readdirSync(place).map((name) => readFileSync(join(place, name)).length)
    }
    const newest = () => readdirSync(directory).filter((name) => existsSync(join(directory, name, 'extents')))
    const keep = async () => {
      await keepBase({ directory, root, entries: scan(root), contentLimit: 1e9 })
      const { id } = await manifestOfDirectory(root, scan(root))
      expect(newest()).toEqual([id])
      const base = await openKept(directory, id)
      for (const [index, { path, size, type }] of base.manifest.entries.entries()) {
        if (type !== 'file' || size === 0) continue
        const source = base.open(index)
        const bytes = Buffer.alloc(size)
        expect(source?.read(bytes, 0)).toBe(size)
        source?.close()
        expect(bytes).toEqual(readFileSync(join(root, path)))
      }
      const { blocksOf, manifest } = base
      const signed = manifest.entries.flatMap((_, index) => blocksOf(index) ?? [])
      base.close()
      return signed
    }
    const [blocks] = await keep()
    const [first = 0] = segments()
    expect(first).toBeGreaterThan(700_000)
    appendFileSync(join(root, 'a/small'), 'more')
    renameSync(join(root, 'b/large'), join(root, 'b/renamed'))
    expect(await keep()).toEqual([blocks])
    expect(segments().sort((a, b) => a - b)).toEqual(['smallmore'.length, first])
    // The same once more: nothing is written.
    const before = readdirSync(join(directory, '.content'))
    await keep()
    expect(readdirSync(join(directory, '.content'))).toEqual(before)
    rmSync(join(root, 'b/renamed'))
    await keep()
    expect(segments()).toEqual(['smallmore'.length + 'xy'.length])
  })

  test('a segment of content that is gone is copied anew', async () => {
    const [root, directory] = [plant(temporary(), tree()), join(temporary(), 'bases')]
    const keep = () => keepBase({ directory, root, entries: scan(root), contentLimit: 1e9 })
    await keep()
    rmSync(join(directory, '.content'), { recursive: true })
    appendFileSync(join(root, 'a/small'), 'more')
    const { id } = await manifestOfDirectory(root, scan(root))
    await keep()
    const base = await openKept(directory, id)
    const index = base.manifest.entries.findIndex(({ path }) => path === 'b/large')
    const source = base.open(index)
    expect(source?.size).toBe(700_000)
    source?.close()
    base.close()
  })

  test('a release may go once it has been read', async () => {
    const [root, directory] = [plant(temporary(), tree()), join(temporary(), 'bases')]
    const entries = scan(root)
    const { id } = await manifestOfDirectory(root, entries)
    const onRead = () => rmSync(join(root, 'b'), { recursive: true })
    await keepBase({ directory, root, entries, contentLimit: 1e9, onRead })
    expect(isKept(directory, id)).toBe(true)
    await expect(openKept(directory, id).then((base) => base.close())).resolves.toBeUndefined()
  })

  test('a base under the id of another one is not used', async () => {
    const [root, directory] = [plant(temporary(), tree()), join(temporary(), 'bases')]
    await keepBase({ directory, root, entries: scan(root), contentLimit: 0 })
    const other = 'f'.repeat(64)
    renameSync(join(directory, readdirSync(directory)[0] ?? ''), join(directory, other))
    await expect(openKept(directory, other)).rejects.toMatchObject({ code: 'BAD_SIGNATURE' })
  })
})
