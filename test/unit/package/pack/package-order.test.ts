import { expect, test } from 'vitest'
import { packageOrder } from '../../../../src/package/pack/package-order.ts'

const entry = (path: string, type: 'file' | 'directory' | 'symlink' = 'file') =>
  ({ path, type, mode: 0o644, mtime: 0n, size: 1 }) as const

test('what does not compress comes last, and all else stays where it is', () => {
  const entries = [
    entry('.', 'directory'),
    entry('a.png', 'directory'),
    entry('a.png/b.JPG'),
    entry('a.png/c.js'),
    entry('d.zip', 'symlink'),
    entry('e.tar.gz'),
    entry('f.png.txt'),
    entry('g'),
  ]
  expect(packageOrder(entries).map(({ path }) => path)).toEqual([
    ...['.', 'a.png', 'a.png/c.js', 'd.zip', 'f.png.txt', 'g', 'a.png/b.JPG', 'e.tar.gz'],
  ])
})
