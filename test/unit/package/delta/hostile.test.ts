import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MurderError } from '../../../../src/errors.ts'
import { applyDelta } from '../../../../src/package/delta/apply-delta.ts'
import { directoryRelease } from '../../../../src/package/delta/base/directory-release.ts'
import { makeSignature, openSignature } from '../../../../src/package/delta/base/signature.ts'
import { DeltaWriter, END, MAGIC } from '../../../../src/package/delta/format/delta-writer.ts'
import type { Delivered } from '../../../../src/package/delta/format/manifest.ts'
import { manifestOf } from '../../../../src/package/delta/format/manifest.ts'
import { makeWhole } from '../../../../src/package/unpack/unpack.ts'
import { fuzz, mutate, noise } from '../../../support/fuzz.ts'
import { plant, survey, temporary } from '../trees.ts'
import { collect, inParts, Pair } from './delta-harness.ts'

const text = 'some text that repeats itself\n'.repeat(500)
const tree = { 'a/kept': text, 'a/changed': `one ${text}`, b: { link: 'a' }, moved: 'content of it' }
const changed = { 'a/kept': text, 'a/changed': `two ${text}`, b: { link: 'c' }, 'c/moved': 'content of it' }

/** A delta of any entries and operations. */
async function written(pair: Pair, write: (writer: DeltaWriter) => void): Promise<Buffer> {
  const writer = new DeltaWriter(pair.base)
  write(writer)
  const head = [MAGIC, Buffer.from(pair.base.id, 'hex')]
  return Buffer.concat([...head, ...(await writer.segment()), Buffer.from([END])])
}

/** What is there, but for the time of the directory that a release was begun in. */
const left = ({ place }: Pair) => survey(place).slice(1)

const root: Delivered = { path: '.', type: 'directory', mode: 0o755, mtime: 0n, size: 0 }
const file = (path: string, size: number): Delivered => ({
  path,
  type: 'file',
  mode: 0o644,
  mtime: 0n,
  size,
  sha256: '00'.repeat(32),
})

describe('a hostile delta', () => {
  it.each<[string, string, (writer: DeltaWriter) => void]>([
    ["holds '..'", 'BAD_DELTA', (writer) => void writer.entry(file('../outside', 1))],
    ['is absolute', 'BAD_DELTA', (writer) => void writer.entry(file('/tmp/outside', 1))],
    [
      'would be written through a symlink',
      'PACKAGE_REFUSED',
      (writer) => {
        writer.entry({ ...root, path: 'link', type: 'symlink', linkname: '..' })
        writer.entry(file('link/outside', 0))
      },
    ],
    ['a file is not whole', 'BAD_DELTA', (writer) => void writer.entry(file('short', 1))],
    [
      'a file gets more than it has',
      'BAD_DELTA',
      (writer) => {
        writer.entry(file('short', 1))
        writer.literal(Buffer.from('much more'))
      },
    ],
    [
      'it says more than belongs to its files',
      'BAD_DELTA',
      (writer) => writer.literal(Buffer.from('of no file')),
    ],
    [
      'it copies what the earlier release has not',
      'BAD_DELTA',
      (writer) => {
        writer.entry(file('new', 1000))
        writer.copy(2, 1e9, 1000)
      },
    ],
    [
      'it copies what the earlier release has not',
      'BAD_DELTA',
      (writer) => {
        writer.entry(file('new', 10))
        writer.copy(99, 0, 10)
      },
    ],
    [
      'would get other content than was sent',
      'BASE_CHANGED',
      (writer) => {
        writer.entry(file('new', 3))
        writer.literal(Buffer.from('lie'))
      },
    ],
    ['another release', 'PACKAGE_WRONG', () => {}],
  ])('fails: %s', async (why, code, write) => {
    const pair = await Pair.of(temporary(), tree, changed)
    const delta = await written(pair, (writer) => {
      writer.entry(root)
      write(writer)
    })
    const before = left(pair)
    await expect(pair.apply(delta)).rejects.toMatchObject({ code, message: expect.stringContaining(why) })
    expect(left(pair)).toEqual(before)
  })

  it('fails where a frame expands to more than it says', async () => {
    const pair = await Pair.of(temporary(), tree, changed)
    const delta = await pair.delta()
    const frame = MAGIC.length + 32 + 1
    expect(delta[frame]).toBeLessThan(3)
    const huge = Buffer.concat([delta.subarray(0, frame), Buffer.from([2, 0xff, 0xff, 0xff, 0xff, 0x7f])])
    await expect(pair.apply(huge)).rejects.toMatchObject({
      code: 'BAD_DELTA',
      message: expect.stringContaining('a number is too large'),
    })
  })

  it('ends whole or with one clear line, whatever was changed in it', async () => {
    const pair = await Pair.of(temporary(), tree, changed)
    const delta = await pair.delta()
    const before = left(pair)
    const wanted = survey(pair.next)
    let failed = 0
    await fuzz(40, async (next) => {
      const bytes = next(4) === 0 ? delta.subarray(0, next(delta.length)) : mutate(delta, next)
      const error = await pair.apply(bytes).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (error === undefined) {
        expect(survey(pair.into)).toEqual(wanted)
        rmSync(pair.into, { recursive: true })
      } else {
        expect(error).toBeInstanceOf(MurderError)
        expect((error as MurderError).message).not.toContain('\n')
        failed++
      }
    })
    expect(left(pair)).toEqual(before)
    expect(failed).toBeGreaterThan(0)
  })
})

describe('a base that changed', () => {
  const edits: [string, (old: string) => void][] = [
    [
      'a/kept would get other content',
      (old) => writeFileSync(join(old, 'a/kept'), text.replace('some', 'same')),
    ],
    [
      'a/changed would get other content',
      (old) => writeFileSync(join(old, 'a/changed'), `one ${text.toUpperCase()}`),
    ],
    ['a/kept has another size', (old) => writeFileSync(join(old, 'a/kept'), 'shorter')],
    ['a/kept cannot be read', (old) => rmSync(join(old, 'a/kept'))],
    [
      'a/kept cannot be read',
      (old) => {
        rmSync(join(old, 'a/kept'))
        writeFileSync(join(old, '../outside'), text)
        symlinkSync('../../outside', join(old, 'a/kept'))
      },
    ],
    [
      'is missing',
      (old) => {
        rmSync(join(old, 'a'), { recursive: true })
        plant(join(old, '../elsewhere'), { kept: text })
        symlinkSync('../elsewhere', join(old, 'a'))
      },
    ],
  ]
  it.each(edits)('is noticed: %s', async (why, change) => {
    const pair = await Pair.of(temporary(), tree, changed)
    const delta = await pair.delta()
    chmodSync(join(pair.old, 'a/kept'), 0o644)
    change(pair.old)
    await expect(pair.apply(delta)).rejects.toMatchObject({
      code: 'BASE_CHANGED',
      message: expect.stringContaining(why),
    })
  })

  it('is refused for a delta of another base', async () => {
    const pair = await Pair.of(temporary(), tree, changed)
    const delta = await pair.delta()
    const other = manifestOf(pair.base.entries.slice(1))
    const options = { parts: inParts(delta), from: pair.old, base: other, id: pair.manifest.id }
    const into = join(pair.place, 'into')
    await expect(makeWhole({ into }, (to) => applyDelta(to, options))).rejects.toMatchObject({
      code: 'BAD_DELTA',
      message: expect.stringContaining('for another release'),
    })
  })
})

describe('a signature', () => {
  it('is not made of files that are not what was delivered', async () => {
    const pair = await Pair.of(temporary(), tree, changed)
    writeFileSync(join(pair.old, 'a/kept'), text.replace('some', 'same'))
    const content = directoryRelease(pair.old, pair.base)
    const making = collect(makeSignature(pair.base, (_, index) => content.open(index)))
    await expect(making).rejects.toMatchObject({ code: 'BASE_CHANGED' })
  })

  it('that was changed is refused in one line, or makes a delta that does not fit', async () => {
    const pair = await Pair.of(temporary(), { ...tree, bytes: noise(20_000, () => 7) }, changed)
    await pair.delta('signature')
    const path = join(pair.place, 'signature')
    const right = readFileSync(path)
    await fuzz(40, async (next) => {
      writeFileSync(path, next(4) === 0 ? right.subarray(0, next(right.length)) : mutate(right, next))
      try {
        const { manifest, blocksOf, close } = await openSignature(path)
        for (const index of manifest.entries.keys()) blocksOf(index)
        close()
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_SIGNATURE' })
      }
    })
  })
})
