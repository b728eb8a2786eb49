import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { zstdAvailable } from '../../../src/package/format/compress.ts'
import { pack } from '../../../src/package/pack/pack.ts'
import { scan } from '../../../src/package/pack/scan.ts'
import { unpack } from '../../../src/package/unpack/unpack.ts'
import type { Compression } from '../../../src/protocol/order.ts'
import { plant, survey, type Tree, temporary, touch, unprivileged } from './trees.ts'

const deep = Array.from({ length: 40 }, (_, i) => `directory-${i}`).join('/')
const isRoot = process.getuid?.() === 0

const nasty: Tree = {
  'with space': 'a',
  'new\nline': 'b',
  'ünï/日本語/\u{1F680}': 'c',
  '-dash': 'd',
  '--': 'e',
  'quote\'"`$(x)\\': 'f',
  [`${deep}/file`]: 'g',
  ['n'.repeat(255)]: 'h',
  [`${'p'.repeat(120)}/${'q'.repeat(120)}/x`]: 'i',
  [`${'é'.repeat(60)}/${'é'.repeat(100)}`]: { content: 'j', at: '1700000000.999999999' },
  empty: '',
  one: 'x',
  'exact-block': Buffer.alloc(512, 1),
  'block-and-one': Buffer.alloc(513, 2),
  'large/random': randomBytes(3_000_001),
  'read-only': { content: 'k', mode: 0o400, at: '1700000000.123456789' },
  executable: { content: 'l', mode: 0o755, at: '1.000000001' },
  setuid: { content: 'm', mode: 0o4755 },
  // Only root can read it.
  ...(isRoot ? { nothing: { content: 'n', mode: 0o000 } } : {}),
  'world-writable': { content: 'o', mode: 0o666 },
  old: { content: 'p', at: '-1000000' },
  zero: { content: 'q', at: '0' },
  'after-2038': { content: 'r', at: '4000000000.25' },
  'after-2038-last': { content: 'r', at: '4102444800.999999999' },
  'after-2106': { content: 's', at: '5000000000' },
  dangling: { link: 'no/such/thing', at: '1234567890.5' },
  absolute: { link: '/etc/passwd' },
  upwards: { link: '../../..' },
  'long-link': { link: 't/'.repeat(200), at: '1111111111' },
  'utf-link': { link: 'ziél\nnew' },
  'dir-link': { link: 'large' },
  REVISIONS: 'not the REVISION file',
  'empty-directory/': { mode: 0o711, at: '1000000000.75' },
  'sticky/inner/': { mode: 0o1777, at: '1000000001' },
  'locked/file': { content: 'u', mode: 0o444 },
  'locked/': { mode: 0o555, at: '1000000002.000001' },
}

async function roundTrip(root: string, compression: Compression = 'none', revision?: string) {
  const place = temporary()
  const made = await pack({
    root,
    entries: scan(root),
    output: join(place, 'package'),
    compression,
    pieceLength: 65536,
  })
  const into = join(place, 'releases', '20261121')
  const options = { file: made.path, into, compression, sha256: made.sha256 }
  const result = await unpack(revision === undefined ? options : { ...options, revision })
  return { place, into, result, made }
}

describe('a release packed and unpacked', () => {
  const compressions: Compression[] = [
    'none',
    'brotli',
    'gzip',
    ...(zstdAvailable() ? (['zstd'] as const) : []),
  ]
  it.each(compressions)('is the same with %s, whatever the umask', async (compression) => {
    const root = plant(temporary(), nasty)
    touch(root, '1222333444')
    const umask = process.umask(0o077)
    onTestFinished(() => void process.umask(umask))
    const { into, place, result } = await roundTrip(root, compression)
    expect(survey(into)).toEqual(survey(root))
    expect(result.files).toBe(survey(root).filter((line) => !/ directory$| -> /.test(line)).length)
    expect(readdirSync(join(place, 'releases'))).toEqual(['20261121'])
  })

  it('keeps times right to the microsecond', async () => {
    const root = plant(temporary(), { file: '', link: { link: 'file' }, 'directory/': {} })
    const { made, place } = await roundTrip(root)
    for (const at of [
      '1700000000.000001',
      '1700000000.123456789',
      '1763765432.999999999',
      '1763765432.000000001',
    ]) {
      for (const name of ['file', 'link', 'directory']) touch(join(root, name), at)
      const file = join(place, at)
      await pack({
        root,
        entries: scan(root),
        output: file,
        compression: 'none',
        pieceLength: made.pieceLength,
      })
      await unpack({ file, into: join(place, `${at}-into`), compression: 'none' })
      const microseconds = (mtime: bigint) => String(mtime / 1000n)
      expect(survey(join(place, `${at}-into`), microseconds)).toEqual(survey(root, microseconds))
    }
  })

  it('arrives when nobody is root', async () => {
    const root = plant(temporary(), { ...nasty, nothing: '', setuid: '', 'locked/deeper/file': '' })
    const place = temporary()
    if (isRoot) execFileSync('chown', ['-R', '65534', root, place])
    await unprivileged(async () => {
      const made = await pack({
        root,
        entries: scan(root),
        output: join(place, 'p'),
        compression: 'none',
        pieceLength: 65536,
      })
      await unpack({ file: made.path, into: join(place, 'into'), compression: 'none', sha256: made.sha256 })
      expect(survey(join(place, 'into'))).toEqual(survey(root))
    })
  })

  it.skipIf(!isRoot)('arrives where a directory shuts out its owner', async () => {
    const root = plant(temporary(), {
      'shut/inner/file': 'a',
      'shut/inner/': { mode: 0o000 },
      'shut/': { mode: 0o200 },
    })
    const place = temporary()
    const file = join(place, 'p')
    await pack({ root, entries: scan(root), output: file, compression: 'none', pieceLength: 65536 })
    execFileSync('chown', ['-R', '65534', place])
    await unprivileged(() => unpack({ file, into: join(place, 'into'), compression: 'none' }))
    expect(survey(join(place, 'into'))).toEqual(survey(root))
  })

  it('removes a leftover whose directories are shut', async () => {
    const root = plant(temporary(), { file: 'a' })
    const place = plant(temporary(), {
      '.into.partial/shut/file': '',
      '.into.partial/shut/': { mode: 0o000 },
    })
    const file = join(place, 'p')
    await pack({ root, entries: scan(root), output: file, compression: 'none', pieceLength: 65536 })
    if (isRoot) execFileSync('chown', ['-R', '65534', place])
    await unprivileged(() => unpack({ file, into: join(place, 'into'), compression: 'none' }))
    expect(survey(join(place, 'into'))).toEqual(survey(root))
  })

  it('writes REVISION in place of the one it holds', async () => {
    const root = plant(temporary(), { elsewhere: 'kept', REVISION: { link: 'elsewhere' } })
    const { into } = await roundTrip(root, 'none', 'c0ffee')
    expect(readFileSync(join(into, 'REVISION'), 'utf8')).toBe('c0ffee\n')
    expect(readFileSync(join(into, 'elsewhere'), 'utf8')).toBe('kept')
    expect(survey(into)[0]).toBe(survey(root)[0])
  })

  it('keeps a sparse file of many chunks right', async () => {
    const root = temporary()
    writeFileSync(join(root, 'sparse'), 'head')
    truncateSync(join(root, 'sparse'), 20_000_003)
    const { into, result } = await roundTrip(root, 'gzip')
    expect(result).toEqual({ files: 1, bytes: 20_000_003 })
    expect(survey(into)).toEqual(survey(root))
  })

  it('goes into an empty directory, and into no other', async () => {
    const root = plant(temporary(), { file: 'a' })
    const { made, into, place } = await roundTrip(root)
    mkdirSync(join(place, 'empty'))
    await unpack({ file: made.path, into: join(place, 'empty'), compression: 'none' })
    expect(existsSync(join(place, 'empty', 'file'))).toBe(true)
    writeFileSync(join(place, 'taken'), '')
    for (const taken of [into, join(place, 'taken')])
      await expect(unpack({ file: made.path, into: taken, compression: 'none' })).rejects.toMatchObject({
        code: 'RELEASE_EXISTS',
      })
    expect(readFileSync(join(into, 'file'), 'utf8')).toBe('a')
  })

  it('replaces an older half-made leftover', async () => {
    const root = plant(temporary(), { file: 'a' })
    const place = temporary()
    plant(place, { '.into.partial/stale/x': '', '.into.partial/file/': '' })
    const made = await pack({
      root,
      entries: scan(root),
      output: join(place, 'p'),
      compression: 'none',
      pieceLength: 65536,
    })
    await unpack({ file: made.path, into: join(place, 'into'), compression: 'none' })
    expect(survey(join(place, 'into'))).toEqual(survey(root))
  })

  it('is listed and unpacked by tar, with nanoseconds', async () => {
    const root = plant(temporary(), nasty)
    for (const compression of ['none', 'gzip'] as const) {
      const { made, place } = await roundTrip(root, compression)
      const listed = execFileSync('tar', ['--quoting-style=literal', '--null', '-tf', made.path]).toString()
      expect(listed).toContain(`${deep}/file`)
      const other = join(place, `tar-${compression}`)
      mkdirSync(other)
      execFileSync('tar', ['-xpf', made.path, '-C', other, '--no-same-owner'])
      const exact = (mtime: bigint) => String(mtime)
      expect(survey(other, exact)).toEqual(survey(root, exact))
    }
  })
})
