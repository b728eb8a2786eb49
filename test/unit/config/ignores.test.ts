import { expect, it } from 'vitest'
import { readIgnores } from '../../../src/config/index.ts'

const patterns = (ignores: unknown) => readIgnores(ignores).options.map(({ pattern }) => pattern)

it('reads patterns as they reach rsync through the double quotes of a shell', () => {
  const written = ['a b', "it's", '\\*', '\\\\*', '\\$HOME', '\\"x\\"', '\\`', 'a$', '$.x', 'a\\\nb', '#', '']
  const read = ['a b', "it's", '\\*', '\\*', '$HOME', '"x"', '`', 'a$', '$.x', 'ab', '#', '']
  expect(readIgnores(written).problems).toEqual([])
  expect(patterns(written)).toEqual(read)
  expect(patterns(undefined)).toEqual([])
})

it.each([
  ['*.log', /^ignores is "?\*\.log"?: allowed: a list of patterns/],
  [[404], /^ignores is \[404\]: allowed: a list of patterns/],
  [['x', '$py.class'], /^ignores has "?\$py\.class"?, where .* takes "\$p" for its own: allowed: \\\$ for/],
  [['`id`'], /takes "`" for its own/],
  [['a"b'], /allowed: \\" for the character itself/],
  [['a\\'], /allowed: \\\\ for the character itself/],
  [['- '], /allowed: a pattern after the prefix$/],
  [['a\0'], /allowed: patterns without a zero byte$/],
])('refuses %j', (ignores, line) => {
  const { problems } = readIgnores(ignores)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(line)
  expect(problems[0]).not.toMatch(/\n/)
})
