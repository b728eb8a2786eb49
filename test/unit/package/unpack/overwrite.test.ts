import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pack } from '../../../../src/package/pack/pack.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { extractInto } from '../../../../src/package/unpack/extract.ts'
import { makeOver } from '../../../../src/package/unpack/overwrite.ts'
import { placeFile } from '../../../../src/package/unpack/place-file.ts'
import { asNobody, canBeNobody, NOBODY } from '../../../support/as-nobody.ts'

let directory: string
let file: string
let sha256: string
const at = (...names: string[]) => join(directory, ...names)
const over = (existing: 'merge' | 'replace', digest = sha256) =>
  makeOver({ into: at('to') }, existing, (destination) =>
    extractInto(destination, { file, compression: 'none', sha256: digest }),
  )

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'murder-settle-'))
  await mkdir(at('from', 'sub', 'deep'), { recursive: true })
  await writeFile(at('from', 'one'), 'new')
  await writeFile(at('from', 'sub', 'two'), 'new')
  await chmod(at('from', 'sub', 'deep'), 0o500)
  file = at('package')
  const options = { root: at('from'), entries: scan(at('from')), output: file, pieceLength: 16_384 }
  sha256 = (await pack({ ...options, compression: 'none' })).sha256
  await mkdir(at('to', 'sub'), { recursive: true })
  await writeFile(at('to', 'one'), 'old')
  await writeFile(at('to', 'sub', 'mine'), 'old')
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

describe('makeOver', () => {
  it('merge leaves what the package does not have', async () => {
    expect(await over('merge')).toMatchObject({ files: 2 })
    expect((await readdir(at('to'), { recursive: true })).sort()).toEqual(
      ['one', 'sub', 'sub/deep', 'sub/mine', 'sub/two'].sort(),
    )
    expect(await readFile(at('to', 'one'), 'utf8')).toBe('new')
    expect((await stat(at('to', 'sub', 'deep'))).mode & 0o777).toBe(0o500)
  })

  it('replace leaves nothing else', async () => {
    await over('replace')
    expect((await readdir(at('to', 'sub'))).sort()).toEqual(['deep', 'two'])
  })

  it.each(['merge', 'replace'] as const)(
    '%s touches nothing when the package is a wrong one',
    async (existing) => {
      await expect(over(existing, '0'.repeat(64))).rejects.toMatchObject({ code: 'PACKAGE_WRONG' })
      expect((await readdir(at('to'), { recursive: true })).sort()).toEqual(['one', 'sub', 'sub/mine'])
      expect(await readFile(at('to', 'one'), 'utf8')).toBe('old')
    },
  )

  it('replace puts a file where a directory was, and a directory where a file was', async () => {
    await rm(at('to'), { recursive: true })
    await mkdir(at('to', 'one', 'old'), { recursive: true })
    await writeFile(at('to', 'sub'), 'old')
    await over('replace')
    expect((await readdir(at('to'), { recursive: true })).sort()).toEqual([
      'one',
      'sub',
      'sub/deep',
      'sub/two',
    ])
    expect(await readFile(at('to', 'one'), 'utf8')).toBe('new')
  })

  it('keeps the mode of the directory that is there, and gives one that it makes that of the release', async () => {
    await chmod(at('from'), 0o750)
    file = at('another')
    const options = { root: at('from'), entries: scan(at('from')), output: file, pieceLength: 16_384 }
    sha256 = (await pack({ ...options, compression: 'none' })).sha256
    await chmod(at('to'), 0o2775)
    for (const existing of ['merge', 'replace'] as const) {
      await over(existing)
      expect((await stat(at('to'))).mode & 0o7777).toBe(0o2775)
    }
    await rm(at('to'), { recursive: true })
    await over('merge')
    expect((await stat(at('to'))).mode & 0o7777).toBe(0o750)
  })

  it.skipIf(!canBeNobody)('replace has all in place before it fails for what it cannot remove', async () => {
    await mkdir(at('to', 'sub', 'held'))
    for (const name of ['this', 'that']) await writeFile(at('to', 'sub', 'held', name), 'of root')
    for (const path of [at(), file, at('to'), at('to', 'sub')]) await chown(path, NOBODY, NOBODY)
    await expect(asNobody(() => over('replace'))).rejects.toMatchObject({
      code: 'NOT_REMOVED',
      message: expect.stringContaining(`${at('to', 'sub', 'held', 'that')} (and 1 more)`),
    })
    expect((await readdir(at('to'), { recursive: true })).sort()).toEqual(
      ['one', 'sub', 'sub/deep', 'sub/held', 'sub/held/that', 'sub/held/this', 'sub/two'].sort(),
    )
    expect(await readFile(at('to', 'one'), 'utf8')).toBe('new')
    expect((await stat(at('to', 'sub', 'deep'))).mode & 0o777).toBe(0o500)
  })

  it('merge touches nothing where a directory has the place of a file', async () => {
    await rm(at('to', 'one'))
    await mkdir(at('to', 'one'))
    await expect(over('merge')).rejects.toMatchObject({ code: 'TARGET_CONFLICT' })
    expect((await readdir(at('to', 'sub'))).sort()).toEqual(['mine'])
  })
})

describe('placeFile', () => {
  const place = (path: string, digest = sha256) =>
    placeFile({
      file,
      sha256: digest,
      order: { path, name: 'package', mode: 0o644, mtime: 1_700_000_000_000 },
    })

  it('replaces an existing file, and copies no bytes on one file system', async () => {
    await place(at('to', 'one'))
    const [source, placed] = [await stat(file), await stat(at('to', 'one'))]
    expect(placed).toMatchObject({ ino: source.ino, mtimeMs: 1_700_000_000_000 })
    await place(at('to', 'one'))
    expect((await readdir(at('to'))).sort()).toEqual(['one', 'sub'])
  })

  it('places a file of the longest name that there is', async () => {
    await place(at('to', 'n'.repeat(255)))
    expect((await readdir(at('to'))).sort()).toEqual(['n'.repeat(255), 'one', 'sub'])
  })

  it('refuses to take the place of a device', async () => {
    await expect(place('/dev/null')).rejects.toMatchObject({ code: 'WRONG_KIND' })
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  it('touches nothing when the SHA-256 is another', async () => {
    await expect(place(at('to', 'one'), '0'.repeat(64))).rejects.toMatchObject({ code: 'PACKAGE_WRONG' })
    expect(await readFile(at('to', 'one'), 'utf8')).toBe('old')
  })
})
