import { chmod, cp, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compareTrees } from '../../../bench/deploy/compare-trees.ts'

describe('compareTrees', () => {
  let root: string
  let expected: string
  let actual: string

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'compare-'))
    expected = join(root, 'expected')
    actual = join(root, 'actual')
    await mkdir(join(expected, 'a', 'b'), { recursive: true })
    await writeFile(join(expected, 'a', 'file'), 'content')
    await writeFile(join(expected, 'REVISION'), 'mine')
    // Whatever the umask.
    await chmod(join(expected, 'a'), 0o755)
    await chmod(join(expected, 'a', 'file'), 0o644)
    await symlink('file', join(expected, 'a', 'link'))
    await cp(expected, actual, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
  })
  afterEach(() => rm(root, { recursive: true }))

  const compare = (mtimes = false) => compareTrees(expected, actual, { ignore: ['REVISION'], mtimes })

  it('finds nothing in equal trees, whatever the ignored names hold', async () => {
    await writeFile(join(actual, 'REVISION'), 'other')
    expect(await compare()).toEqual([])
  })

  it.each<[string, (tree: string) => Promise<unknown>, string]>([
    ['a missing file', (tree) => rm(join(tree, 'a/file')), 'a/file: missing'],
    ['a missing empty directory', (tree) => rm(join(tree, 'a/b'), { recursive: true }), 'a/b: missing'],
    ['a further file', (tree) => writeFile(join(tree, 'a/more'), ''), 'a/more: should not be there'],
    [
      'other content of the same length',
      (tree) => writeFile(join(tree, 'a/file'), 'CONTENT'),
      'a/file: other content',
    ],
    ['another length', (tree) => writeFile(join(tree, 'a/file'), 'content!'), 'a/file: 8 bytes, not 7'],
    ['another mode', (tree) => chmod(join(tree, 'a/file'), 0o755), 'a/file: mode 755, not 644'],
    ['another mode of a directory', (tree) => chmod(join(tree, 'a'), 0o700), 'a: mode 700, not 755'],
    [
      'another link target',
      async (tree) => {
        await rm(join(tree, 'a/link'))
        await symlink('b', join(tree, 'a/link'))
      },
      'a/link: links elsewhere',
    ],
    [
      'a file in place of a link',
      async (tree) => {
        await rm(join(tree, 'a/link'))
        await writeFile(join(tree, 'a/link'), 'content')
      },
      'a/link: another type',
    ],
  ])('finds %s', async (_, change, difference) => {
    await change(actual)
    expect(await compare()).toEqual([difference])
  })

  it('finds another modification time, when asked', async () => {
    await utimes(join(actual, 'a/file'), 1, 1)
    expect(await compare(false)).toEqual([])
    expect(await compare(true)).toEqual([
      expect.stringMatching(/^a\/file: modified 1970-01-01T00:00:01.000Z, not /),
    ])
  })

  it('stops listing after ten', async () => {
    for (let i = 0; i < 12; i++) await writeFile(join(actual, `more-${i}`), '')
    expect(await compare()).toHaveLength(11)
    expect((await compare()).at(-1)).toBe('and 2 more')
  })
})
