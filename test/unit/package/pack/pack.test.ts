import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { packedLength } from '../../../../src/package/format/header.ts'
import { type PackOptions, pack } from '../../../../src/package/pack/pack.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { plant, type Tree, temporary, touch, unprivileged } from '../trees.ts'

const tree: Tree = {
  'a/file': { content: 'hello\n'.repeat(1000), at: '1700000000.123456789' },
  'a/b/': {},
  'a-b': { content: Buffer.alloc(700_000, 'large'), mode: 0o755 },
  link: { link: 'a-b' },
}

/** The options for a package of `root`, in a directory of its own. */
const of = (root: string, more: Partial<PackOptions> = {}): PackOptions => ({
  root,
  entries: scan(root),
  output: join(temporary(), 'package'),
  compression: 'none',
  pieceLength: 65536,
  ...more,
})

describe('pack', () => {
  it('gives the same bytes for the same release, made in another order, umask and time zone', async () => {
    const first = plant(temporary(), tree)
    const packages = [await pack(of(first, { compression: 'gzip' })), await pack(of(first))]
    const umask = process.umask(0o077)
    const zone = process.env.TZ
    process.env.TZ = 'Asia/Kathmandu'
    onTestFinished(() => {
      process.umask(umask)
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    })
    const second = plant(temporary(), Object.fromEntries(Object.entries(tree).reverse()))
    for (const root of [first, second]) {
      chmodSync(root, 0o755)
      for (const name of ['a', 'a/b']) chmodSync(join(root, name), 0o755)
      for (const name of ['a/file']) chmodSync(join(root, name), 0o644)
      for (const name of ['a/b', 'a', '.']) touch(join(root, name), '1600000000')
    }
    const again = [await pack(of(first, { compression: 'gzip' })), await pack(of(first))]
    const other = [await pack(of(second, { compression: 'gzip' })), await pack(of(second))]
    expect(other.map(({ sha256 }) => sha256)).toEqual(again.map(({ sha256 }) => sha256))
    expect(other.map(({ pieces }) => pieces)).toEqual(again.map(({ pieces }) => pieces))
    expect(packages[1]?.sha256).not.toBe(again[1]?.sha256)
  })

  it.each([1000, 16384, 65536, 1 << 18, 3 << 20])(
    'hashes pieces of %i bytes and the whole',
    async (pieceLength) => {
      const root = plant(temporary(), { ...tree, more: Buffer.alloc(3_500_000, 'xyz') })
      for (const compression of ['none', 'gzip'] as const) {
        const made = await pack(of(root, { compression, pieceLength }))
        const bytes = readFileSync(made.path)
        expect(made.length).toBe(bytes.length)
        expect(made.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
        const pieces: Buffer[] = []
        for (let at = 0; at < bytes.length; at += pieceLength)
          pieces.push(
            createHash('sha1')
              .update(bytes.subarray(at, at + pieceLength))
              .digest(),
          )
        expect(made.pieces).toEqual(pieces)
      }
    },
  )

  it('compresses to what any gunzip expands to the uncompressed package', async () => {
    const root = plant(temporary(), { ...tree, more: Buffer.alloc(3_500_000, 'xyz') })
    const plain = await pack(of(root))
    const gzip = await pack(of(root, { compression: 'gzip' }))
    // No time and no system in the header: nothing of this machine.
    expect([...readFileSync(gzip.path).subarray(0, 10)]).toEqual([
      31,
      139,
      8,
      0,
      0,
      0,
      0,
      0,
      expect.any(Number),
      255,
    ])
    expect(gunzipSync(readFileSync(gzip.path)).equals(readFileSync(plain.path))).toBe(true)
    expect(plain.length).toBe(packedLength(scan(root)))
    expect(gzip.length).toBeLessThan(plain.length / 10)
  })

  it('is readable by nobody else, also where another file was', async () => {
    const options = of(plant(temporary(), tree))
    writeFileSync(options.output, 'older', { mode: 0o644 })
    const made = await pack(options)
    expect(statSync(made.path).mode & 0o777).toBe(0o600)
  })

  it('chooses the piece length by the estimated length and tells progress', async () => {
    const root = plant(temporary(), tree)
    const estimates: number[] = []
    const pieceLength = (bytes: number) => {
      estimates.push(bytes)
      return 32768
    }
    const progress: [number, number][] = []
    const onProgress = (done: number, total: number) => progress.push([done, total])
    const made = await pack(of(root, { pieceLength, onProgress }))
    await pack(of(root, { pieceLength, ratio: 0.25, compression: 'gzip' }))
    expect(made.pieceLength).toBe(32768)
    expect(estimates).toEqual([made.length, Math.ceil(made.length * 0.25)])
    expect(progress.at(-1)).toEqual([made.length, made.length])
    await expect(pack(of(root, { pieceLength: 0 }))).rejects.toMatchObject({ code: 'BAD_PIECE_LENGTH' })
  })

  describe('leaves nothing behind and names the fault', () => {
    const large = 'a-b'
    const small = 'a/file'
    const changes: [string, (root: string) => void, string][] = [
      ['a small file grew', (root) => appendFileSync(join(root, small), 'x'), 'a/file changed its size'],
      ['a large file grew', (root) => appendFileSync(join(root, large), 'x'), 'a-b changed its size'],
      ['a small file shrank', (root) => writeFileSync(join(root, small), ''), 'a/file changed its size'],
      ['a large file shrank', (root) => writeFileSync(join(root, large), ''), 'a-b changed its size'],
      [
        'a small file has other content',
        (root) => touch(join(root, small), '1700000000.123456790'),
        'a/file changed',
      ],
      ['a large file has other content', (root) => touch(join(root, large), '1700000001'), 'a-b changed'],
      ['a file vanished', (root) => rmSync(join(root, small)), 'a/file vanished'],
      ['a directory vanished', (root) => rmSync(join(root, 'a'), { recursive: true }), 'a/file vanished'],
      [
        'a file became a directory',
        (root) => {
          rmSync(join(root, small))
          mkdirSync(join(root, small))
        },
        'a/file became something else',
      ],
    ]
    it.each(changes)('when %s', async (_, change, message) => {
      const root = plant(temporary(), tree)
      const options = of(root)
      change(root)
      await expect(pack(options)).rejects.toMatchObject({
        code: 'FILE_CHANGED',
        message: expect.stringContaining(`${message} while it was packaged`),
        cure: expect.any(String),
      })
      expect(existsSync(options.output)).toBe(false)
    })

    it('when a large file changes while it is being read', async () => {
      const root = plant(temporary(), { large: Buffer.alloc(40 << 20) })
      const path = join(root, 'large')
      let touched = false
      const onProgress = (done: number, total: number) => {
        if (done < total && !touched) touch(path, '1234567890')
        touched = true
      }
      const options = of(root, { onProgress, compression: 'gzip' })
      await expect(pack(options)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
      expect(existsSync(options.output)).toBe(false)
    })

    it('when a file may not be read', async () => {
      const root = plant(temporary(), { 'dir/secret': { content: 'x', mode: 0o000 } })
      const options = of(root)
      chmodSync(root, 0o755)
      chmodSync(join(options.output, '..'), 0o777)
      await unprivileged(() =>
        expect(pack(options)).rejects.toMatchObject({
          code: 'FILE_UNREADABLE',
          message: 'cannot read dir/secret: permission denied',
        }),
      )
      expect(existsSync(options.output)).toBe(false)
    })

    it('when it is aborted, before and during', async () => {
      const root = plant(temporary(), tree)
      const before = of(root, { signal: AbortSignal.abort() })
      await expect(pack(before)).rejects.toMatchObject({ code: 'INTERRUPTED', exitCode: 130 })
      const controller = new AbortController()
      const during = of(root, {
        signal: controller.signal,
        compression: 'gzip',
        pieceLength: () => {
          controller.abort()
          return 16384
        },
      })
      await expect(pack(during)).rejects.toMatchObject({ code: 'INTERRUPTED' })
      for (const { output } of [before, during]) expect(readdirSync(join(output, '..'))).toEqual([])
    })

    it('when the output cannot be made', async () => {
      const root = plant(temporary(), tree)
      await expect(pack(of(root, { output: join(root, 'no', 'such', 'package') }))).rejects.toMatchObject({
        code: 'NOT_WRITABLE',
      })
    })
  })
})
