import bencode from 'bencode'
import { describe, expect, test } from 'vitest'
import { parseMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'

const bytes = (value: Record<string, unknown>) => Buffer.from(bencode.encode({ info: value } as never))

/** A torrent of a directory as another program may have written it, with one piece. */
const parse = (files: Record<string, unknown>[], info: Record<string, unknown> = {}) =>
  parseMetainfo(bytes({ name: 'data', 'piece length': 16384, pieces: Buffer.alloc(20), files, ...info }))
const file = (path: string, more: Record<string, unknown> = {}) => ({
  path: path.split('/'),
  length: 100,
  ...more,
})
const link = (path: string, target: string) =>
  file(path, { length: 0, attr: 'l', 'symlink path': target.split('/') })
const pathsOf = (files: Record<string, unknown>[]) => parse(files).files.map(({ path }) => path.join('/'))

describe('names as libtorrent reads them', () => {
  test('path.utf-8 and name.utf-8 come before path and name', () => {
    const parsed = parse([file('?', { 'path.utf-8': ['ä'] })], { name: '?', 'name.utf-8': 'ü' })
    expect(parsed).toMatchObject({ name: 'ü', files: [{ path: ['ä'] }] })
  })

  test('an empty name in a path is an underscore', () => {
    expect(pathsOf([{ length: 1, path: ['dir', ''] }])).toEqual(['dir/_'])
  })

  test('the name of the torrent, which is advisory, loses its slashes', () => {
    expect(parse([file('a')], { name: '/some/where' }).name).toBe('somewhere')
  })

  test('a hybrid torrent with 60 directories within each other is read', () => {
    const path = Array.from({ length: 60 }, (_, depth) => `d${depth}`)
    const tree = path.reduceRight<Record<string, unknown>>((below, part) => ({ [part]: below }), {
      '': { length: 100 },
    })
    expect(parse([{ path, length: 100 }], { 'meta version': 2, 'file tree': tree }).files[0]?.path).toEqual(
      path,
    )
  })
})

test('padding is content and no file, also when two pads have the same path', () => {
  const pad = (length: number) => file('.pad/100', { length, attr: 'p' })
  const bitcomet = file('_____padding_file_0_', { length: 7 })
  const parsed = parse([pad(3), file('a'), pad(5), bitcomet, file('b', { attr: 'hx' }), file('c'), pad(9)])
  expect(parsed.length).toBe(324)
  expect(parsed.files).toEqual([
    { path: ['a'], length: 100, padding: 3 },
    { path: ['b'], length: 100, padding: 12, executable: true },
    { path: ['c'], length: 100 },
  ])
})

describe('symlinks', () => {
  const linksOf = (...links: [string, string][]) =>
    parse([file('dir/file'), ...links.map((args) => link(...args))]).links.map(
      ({ path, target }) => `${path.join('/')} > ${target.join('/')}`,
    )

  test('lead to files and directories, over other links too, and are no files', () => {
    const links: [string, string][] = [
      ['a', 'dir/file'],
      ['b', 'dir'],
      ['c', 'b/file'],
      ['d', 'c'],
      ['dir/e', 'file'],
      ['dir/f', '../dir/file'],
    ]
    expect(linksOf(...links)).toEqual([
      'a > dir/file',
      'b > dir',
      'c > b/file',
      'd > c',
      'dir/e > dir/file',
      'dir/f > dir/file',
    ])
    expect(pathsOf([file('dir/file'), link('a', 'dir/file')])).toEqual(['dir/file'])
  })

  test.each([
    ['up', '../etc'],
    ['the torrent by way of what is above it', '../dir'],
    ['far up', 'dir/../../etc'],
    ['an absolute path', '/etc/passwd'],
    ['what is not in the torrent', 'dir/nothing'],
    ['itself', 'l'],
    ['the top', 'dir/..'],
    ['beyond a link', 'k/../../x'],
  ])('that lead to %s are left out', (_what, target) => {
    expect(linksOf(['k', 'dir'], ['l', target])).toEqual(['k > dir'])
  })

  test('that lead to a link that is left out are left out, too', () => {
    expect(linksOf(['a', 'b'], ['b', '../x'], ['c', 'd'], ['d', 'c'])).toEqual([])
  })

  test.each([
    ['a file below one', [file('x/y'), link('x', 'a'), file('a')]],
    ['content of one', [file('a'), file('l', { attr: 'l', 'symlink path': ['a'] })]],
    ['a second one of the same name', [file('a'), link('l', 'a'), link('l', 'a')]],
  ])('%s is refused', (_what, files) => {
    expect(() => parse(files)).toThrow(expect.objectContaining({ code: 'BAD_TORRENT' }))
  })
})
