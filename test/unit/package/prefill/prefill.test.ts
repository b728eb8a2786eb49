import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeLayout, encodeLayout } from '../../../../src/package/format/layout.ts'
import { pack } from '../../../../src/package/pack/pack.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { prefill } from '../../../../src/package/prefill/prefill.ts'
import { plant, type Tree, temporary } from '../trees.ts'

const release: Tree = {
  'dir/small': { content: 'small', at: '1700000000.123456789' },
  'dir/large': Buffer.alloc(3_000_000, 'large'),
  'dir/exactly': Buffer.alloc(1 << 20, 'e'),
  [`${'é'.repeat(120)}/x`]: 'y',
  empty: '',
  link: { link: 'dir/small' },
  top: 'top',
}
const contentLength = 5 + 3_000_000 + (1 << 20) + 1 + 3

/** The package of `release`, and what prefill makes of it from `earlier`. */
async function compare(earlier: string) {
  const place = temporary()
  const root = plant(join(place, 'new'), release)
  const entries = scan(root)
  const made = await pack({
    root,
    entries,
    output: join(place, 'package'),
    compression: 'none',
    pieceLength: 65536,
  })
  const output = join(place, 'candidate')
  const result = await prefill({ layout: decodeLayout(encodeLayout(entries)), from: earlier, output })
  expect(result.bytes).toBe(made.length)
  return { real: readFileSync(made.path), candidate: readFileSync(output), reused: result.reused, output }
}

/** Where bytes differ: [first, last] offset. */
function difference(a: Buffer, b: Buffer): [number, number] | undefined {
  let first = 0
  while (first < a.length && a[first] === b[first]) first++
  if (first === a.length && a.length === b.length) return undefined
  let last = a.length - 1
  while (last > first && a[last] === b[last]) last--
  return [first, last]
}

describe('prefill', () => {
  it('makes the very package when the earlier release has the same files, with whatever modes and times', async () => {
    const earlier = plant(temporary(), {
      ...release,
      'dir/small': { content: 'small', mode: 0o755 },
      gone: 'x',
    })
    const { real, candidate, reused, output } = await compare(earlier)
    expect(candidate.equals(real)).toBe(true)
    expect(reused).toBe(contentLength)
    expect(statSync(output).mode & 0o777).toBe(0o600)
  })

  it('leaves holes, and nothing but holes, for files that are missing or of another size', async () => {
    const { link: _, 'dir/large': __, ...kept } = release
    const { real, candidate, reused, output } = await compare(plant(temporary(), { ...kept, top: 'longer' }))
    expect(reused).toBe(contentLength - 3_000_000 - 3)
    const large = real.indexOf('largelarge')
    const top = real.lastIndexOf('top')
    expect(difference(real, candidate)).toEqual([large, top + 2])
    const filled = Buffer.from(candidate)
    real.copy(filled, large, large, large + 3_000_000)
    real.copy(filled, top, top, top + 3)
    expect(filled.equals(real)).toBe(true)
    expect(statSync(output).blocks * 512).toBeLessThan(2_000_000)
  })

  it('guesses by path and size only, so it takes different content as it is', async () => {
    const { real, candidate } = await compare(plant(temporary(), { ...release, top: 'TOP' }))
    const top = real.lastIndexOf('top')
    expect(difference(real, candidate)).toEqual([top, top + 2])
  })

  it('is all headers when there is no earlier release', async () => {
    const { reused, candidate, real } = await compare(join(temporary(), 'none'))
    expect(reused).toBe(0)
    expect(candidate.length).toBe(real.length)
    expect(candidate.indexOf('dir/large')).toBe(real.indexOf('dir/large'))
  })

  it('reads nothing through symlinks that leave the earlier release', async () => {
    const place = plant(temporary(), {
      'outside/small': 'small',
      'outside/large': Buffer.alloc(3_000_000, 'L'),
      'from/real/exactly': Buffer.alloc(1 << 20, 'e'),
      'outside/top': 'top',
      'from/top': { link: '../outside/top' },
      'from/dir': { link: '../outside' },
    })
    expect((await compare(join(place, 'from'))).reused).toBe(0)
    renameSync(join(place, 'from', 'dir'), join(place, 'from', 'other'))
    symlinkSync('real', join(place, 'from', 'dir'))
    expect((await compare(join(place, 'from'))).reused).toBe(1 << 20)
  })

  it('follows the path to the release itself, which may be a symlink such as current', async () => {
    const place = temporary()
    plant(join(place, 'releases', '1'), { top: 'top' })
    symlinkSync('releases/1', join(place, 'current'))
    expect((await compare(join(place, 'current'))).reused).toBe(3)
  })

  it('leaves nothing behind when it is aborted or cannot write', async () => {
    const place = temporary()
    const root = plant(join(place, 'new'), release)
    const options = { layout: scan(root), from: root, output: join(place, 'candidate') }
    await expect(prefill({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
    await expect(prefill({ ...options, output: join(place, 'no', 'x') })).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
    })
    const controller = new AbortController()
    const running = prefill({ ...options, signal: controller.signal })
    controller.abort()
    await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(readdirSync(place)).toEqual(['new'])
  })

  it('replaces what was at the output, without following it', async () => {
    const place = temporary()
    const root = plant(join(place, 'new'), release)
    writeFileSync(join(place, 'victim'), 'untouched')
    chmodSync(join(place, 'victim'), 0o644)
    symlinkSync('victim', join(place, 'candidate'))
    await prefill({ layout: scan(root), from: root, output: join(place, 'candidate') })
    expect(readFileSync(join(place, 'victim'), 'utf8')).toBe('untouched')
  })
})
