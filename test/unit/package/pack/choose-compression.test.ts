import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseCompression } from '../../../../src/package/pack/choose-compression.ts'
import { estimateCompression } from '../../../../src/package/pack/estimate-compression.ts'
import { pack } from '../../../../src/package/pack/pack.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { plant, type Tree, temporary } from '../trees.ts'

describe('chooseCompression', () => {
  const choose = (more: Partial<Parameters<typeof chooseCompression>[0]>) =>
    chooseCompression({ wanted: 'auto', ratio: 0.5, zstdEverywhere: false, ...more })

  it('compresses when that saves more than a tenth', () => {
    expect(choose({ ratio: 0.89 })).toBe('brotli')
    expect(choose({ ratio: 0.9 })).toBe('none')
    expect(choose({ ratio: 0.89, zstdEverywhere: true })).toBe('zstd')
    expect(choose({ ratio: 0.95, zstdEverywhere: true })).toBe('none')
  })

  it('takes the wanted compression, where both ends have it', () => {
    expect(choose({ wanted: 'none' })).toBe('none')
    expect(choose({ wanted: 'gzip', ratio: 1, zstdEverywhere: true })).toBe('gzip')
    expect(choose({ wanted: 'zstd', ratio: 1, zstdEverywhere: true })).toBe('zstd')
    expect(choose({ wanted: 'brotli', ratio: 1, zstdEverywhere: true })).toBe('brotli')
    expect(choose({ wanted: 'zstd' })).toBe('brotli')
  })
})

describe('estimateCompression', () => {
  const random = (count: number, length: number): Tree =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`d/random-${i}`, randomBytes(length)]))
  const text = (count: number, length: number): Tree =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`t/${i}`, `line ${i} of text\n`.repeat(length / 16)]),
    )
  const trees: Record<string, Tree> = {
    'one large random file': { large: randomBytes(9_000_000) },
    'one large text': { large: 'some text\n'.repeat(1_000_000) },
    'random and text': { ...random(2, 4_000_000), large: 'some text\n'.repeat(400_000) },
    'small random files': random(300, 3000),
    'small texts': text(300, 3000),
    'a small release': { a: 'hello' },
    'empty files': text(200, 0),
  }
  it.each(Object.entries(trees))('comes near to what gzip makes of %s', async (_, tree) => {
    const root = plant(temporary(), tree)
    const entries = scan(root)
    const common = { root, entries, pieceLength: 65536 }
    const gzip = await pack({ ...common, output: join(temporary(), 'p'), compression: 'gzip' })
    const none = await pack({ ...common, output: join(temporary(), 'p'), compression: 'none' })
    expect(
      Math.abs(estimateCompression(root, entries) - Math.min(1, gzip.length / none.length)),
    ).toBeLessThan(0.08)
  })

  it('says nothing is gained when nothing can be read', () => {
    const root = plant(temporary(), { 'd/file': 'x'.repeat(1000) })
    const entries = scan(root)
    rmSync(join(root, 'd'), { recursive: true })
    expect(estimateCompression(root, entries)).toBeGreaterThan(0)
    expect(estimateCompression(root, [])).toBe(1)
  })
})
