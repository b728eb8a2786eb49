import { describe, expect, it } from 'vitest'
import { type FilterOption, rsyncFilter } from '../../../../src/package/pack/rsync-filter.ts'

const exclude = (...patterns: string[]) =>
  rsyncFilter(patterns.map((pattern): FilterOption => ({ kind: 'exclude', pattern })))

/** A path that ends in a slash is a directory. */
const isOut = (patterns: string[], path: string) =>
  exclude(...patterns)(path.replace(/\/$/, ''), path.endsWith('/'))

// test/integration/rsync-filter.test.ts asks rsync itself, about random ones.
describe.each<{ patterns: string[]; out?: string[]; stays?: string[] }>([
  { patterns: ['x'], out: ['x', 'a/x', 'a/x/'], stays: ['xx', 'x/y'] },
  { patterns: ['a/x'], out: ['a/x', 'b/a/x'], stays: ['a/b/x', 'ba/x'] },
  { patterns: ['/a/x'], out: ['a/x'], stays: ['b/a/x'] },
  { patterns: ['/docs'], out: ['docs/', 'docs'], stays: ['a/docs/'] },
  { patterns: ['x/'], out: ['x/', 'a/x/'], stays: ['x', 'a/x'] },
  { patterns: ['logs/***'], out: ['logs/', 'logs/a', 'logs/a/b', 'a/logs/'], stays: ['logs'] },
  { patterns: ['logs/**'], out: ['logs/a', 'a/logs/b'], stays: ['logs/', 'logs'] },
  { patterns: ['logs/*'], out: ['logs/a', 'b/logs/a'], stays: ['logs/', 'logs/a/b'] },
  { patterns: ['**/x'], out: ['x', 'a/x', 'a/b/x'], stays: ['ax'] },
  { patterns: ['/**/x'], out: ['a/x', 'a/b/x'], stays: ['x'] },
  { patterns: ['a**x'], out: ['ax', 'a/x', 'b/a/c/x'], stays: ['ba/x'] },
  { patterns: ['/*'], out: ['a', 'a/'], stays: ['a/b'] },
  { patterns: ['*.log'], out: ['.log', 'a.log', 'b/a.log'], stays: ['a.log2'] },
  { patterns: ['a?c'], out: ['abc', 'x/abc'], stays: ['a/c', 'ac', 'aéc'] },
  { patterns: ['a??c'], out: ['aéc'] },
  { patterns: ['/a?c', '/a[!x]c'], out: ['abc'], stays: ['a/c'] },
  { patterns: ['[a-c]x'], out: ['ax', 'cx'], stays: ['dx', '-x'] },
  { patterns: ['[!a-c]x', '[^d]y'], out: ['dx', 'ay'], stays: ['ax', 'dy'] },
  { patterns: ['[]-]x', '[a-]y'], out: [']x', '-x', '-y', 'ay'], stays: ['ax', ']y'] },
  { patterns: ['[[:digit:]x]'], out: ['1', 'x'], stays: ['a', ':'] },
  { patterns: ['[[:nonsense:]]*', '[a', '*\\'], stays: ['a', 'n]', '[a', 'x\\'] },
  { patterns: ['#scratch#', '#'], out: ['#scratch#', 'a/#'] },
  { patterns: ['x '], out: ['x '], stays: ['x'] },
  { patterns: [' x'], out: [' x'], stays: ['x'] },
  { patterns: ['a\\b'], out: ['a\\b'], stays: ['ab'] },
  { patterns: ['a\\b*'], out: ['ab', 'abc'], stays: ['a\\b'] },
  { patterns: ['\\*x*'], out: ['*x', '*xy'], stays: ['ax'] },
  { patterns: ['+ keep.log', '*.log'], out: ['a.log'], stays: ['keep.log', 'a/keep.log'] },
  { patterns: ['*.log', '+ keep.log'], out: ['keep.log'] },
  { patterns: ['- x', '-y', '+z'], out: ['x', '-y', '+z'], stays: ['- x', 'y', 'z'] },
  { patterns: ['- + x'], out: ['+ x'], stays: ['x'] },
  { patterns: ['a', '!', 'b'], out: ['b'], stays: ['a', '!'] },
  { patterns: ['!a'], out: ['!a'], stays: ['a', 'b'] },
  { patterns: ['', '.', '/', './x'], stays: ['a', 'x'] },
  { patterns: ['X'], out: ['X'], stays: ['x'] },
])('with --exclude $patterns', ({ patterns, out = [], stays = [] }) => {
  it.each(out)('%s stays out', (path) => expect(isOut(patterns, path)).toBe(true))
  it.each(stays)('%s goes along', (path) => expect(isOut(patterns, path)).toBe(false))
})

it('takes the first option that matches', () => {
  const filter = rsyncFilter([
    { kind: 'include', pattern: '*/' },
    { kind: 'include', pattern: '*.c' },
    { kind: 'exclude', pattern: '*' },
  ])
  expect([filter('a', true), filter('a/b.c', false), filter('a/b.o', false)]).toEqual([false, false, true])
})

it('is done with a hostile pattern at once', () => {
  const filter = exclude(`${'*a'.repeat(500)}b`, `${'**a'.repeat(500)}b`, `${'[a]*'.repeat(500)}b`)
  expect(filter(`${'a'.repeat(250)}/`.repeat(16), true)).toBe(false)
}, 5000)
