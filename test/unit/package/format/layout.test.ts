import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../../src/files/entry.ts'
import { headerOf } from '../../../../src/package/format/header.ts'
import { decodeLayout, encodeLayout } from '../../../../src/package/format/layout.ts'

const entries: Entry[] = [
  { path: '.', type: 'directory', mode: 0o755, mtime: 1_700_000_000_123_456_789n, size: 0 },
  { path: 'a\nb', type: 'file', mode: 0o4755, mtime: -1n, size: 30_000_000_000 },
  { path: 'a\nb-\u{1F600}', type: 'file', mode: 0, mtime: -1_500_000_000n, size: 0 },
  { path: 'a\nb-\u{1F601}', type: 'symlink', mode: 0o777, mtime: 0n, size: 0, linkname: '/\u{1F600}' },
  { path: 'dir', type: 'directory', mode: 0o1777, mtime: 5_000_000_000_000_000_001n, size: 0 },
]
const text = encodeLayout(entries)
const columns = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString())
const encoded = (value: unknown) => gzipSync(JSON.stringify(value)).toString('base64')

describe('a layout', () => {
  it('says the same again', () => {
    expect(decodeLayout(text)).toEqual(entries)
    expect(decodeLayout(text).map(headerOf)).toEqual(entries.map(headerOf))
    expect(text).toMatch(/^[A-Za-z0-9+/=]+$/)
  })

  it('is compact', () => {
    const many = Array.from({ length: 2000 }, (_, i): Entry => {
      const path = `node_modules/some-package-${i >> 4}/dist/file-${i}.js`
      return {
        path,
        type: 'file',
        mode: 0o644,
        mtime: 1_700_000_000_000_000_000n + BigInt(i * 7_654_321),
        size: i * 31,
      }
    })
    expect(encodeLayout(many).length).toBeLessThan(2000 * 20)
  })

  const wrong: Record<string, string> = {
    'no gzip': Buffer.from('hello').toString('base64'),
    'no text': '',
    'no JSON': gzipSync('{').toString('base64'),
    null: encoded(null),
    'another version': encoded({ ...columns, version: 2 }),
    'a missing column': encoded({ ...columns, sizes: undefined }),
    'a column that is no list': encoded({ ...columns, paths: 'abcde' }),
    'a short column': encoded({ ...columns, modes: [1] }),
    'a path that is no text': encoded({ ...columns, paths: [...columns.paths.slice(1), 7] }),
    'a path upwards': encoded({ ...columns, paths: ['.', '../x', 'b', 'c', 'd'], shared: [0, 0, 0, 0, 0] }),
    'an absolute path': encoded({ ...columns, paths: ['.', '/etc', 'b', 'c', 'd'], shared: [0, 0, 0, 0, 0] }),
    'an unknown type': encoded({ ...columns, types: 'dfxsd' }),
    'a negative size': encoded({ ...columns, sizes: [0, -1, 0, 0, 0] }),
    'a fractional size': encoded({ ...columns, sizes: [0, 1.5, 0, 0, 0] }),
    'a directory with a size': encoded({ ...columns, sizes: [1, 0, 0, 0, 0] }),
    'an impossible mode': encoded({ ...columns, modes: [0o10000, 0, 0, 0, 0] }),
    'a time that is no number': encoded({ ...columns, seconds: ['1', 0, 0, 0, 0] }),
    'a link without a target': encoded({ ...columns, linknames: [] }),
    'a bomb': gzipSync(Buffer.alloc(300 << 20), { level: 1 }).toString('base64'),
    'ever longer paths': encoded({
      ...columns,
      paths: [`a/${'b'.repeat(3000)}`, ...Array(99_999).fill('')],
      shared: Array(100_000).fill(3002),
      types: 'f'.repeat(100_000),
      modes: Array(100_000).fill(0),
      seconds: Array(100_000).fill(0),
      nanoseconds: Array(100_000).fill(0),
      sizes: Array(100_000).fill(0),
    }),
  }
  it.each(Object.entries(wrong))('is refused with one line when it is %s', (_, bad) => {
    expect(() => decodeLayout(bad)).toThrow(
      expect.objectContaining({ code: 'BAD_LAYOUT', message: expect.stringMatching(/^.{10,200}$/) }),
    )
  })

  it('is not expanded further than any layout could be long', () => {
    expect(() => decodeLayout(wrong['a bomb'] ?? '')).toThrow(/too long/)
  })
})
