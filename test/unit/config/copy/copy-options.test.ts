import { expect, it } from 'vitest'
import { readCopyOptions } from '../../../../src/config/copy/copy-options.ts'

const patterns = (ignores: unknown) => readCopyOptions({ ignores }).copy.filter.map(({ pattern }) => pattern)

it('reads patterns as they reach rsync through the double quotes of a shell', () => {
  const written = ['a b', "it's", '\\*', '\\\\*', '\\$HOME', '\\"x\\"', '\\`', 'a$', '$.x', 'a\\\nb', '#', '']
  const read = ['a b', "it's", '\\*', '\\*', '$HOME', '"x"', '`', 'a$', '$.x', 'ab', '#', '']
  expect(readCopyOptions({ ignores: written }).problems).toEqual([])
  expect(patterns(written)).toEqual(read)
  expect(patterns(undefined)).toEqual([])
})

it.each([
  ['*.log', /^ignores is "?\*\.log"?: allowed: a list of patterns/],
  [[404], /^ignores is \[404\]: allowed: a list of patterns/],
  [
    ['x', '$py.class'],
    /^ignores has "\$py\.class", which a shell would not pass on as it is: allowed: a backslash/,
  ],
  [['`id`'], /which a shell/],
  [['a"b'], /which a shell/],
  [['a\\'], /which a shell/],
  [['- '], /allowed: a pattern after it$/],
  [['a\0'], /which a shell/],
])('refuses %j', (ignores, line) => {
  const { problems } = readCopyOptions({ ignores })
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(line)
  expect(problems[0]).not.toMatch(/\n/)
})

const remoteCopy = (given: unknown, more: object = {}) =>
  readCopyOptions({ ...more, deploy: { remoteCopy: given } })

it('reads ignores and rsync where shipit-deploy does', () => {
  const general = { ignores: ['general'], rsync: '--exclude=general-option -L' }
  const filters = ({ copy }: ReturnType<typeof remoteCopy>) => copy.filter.map(({ pattern }) => pattern)
  expect(filters(remoteCopy(undefined, general))).toEqual(['general'])
  expect(remoteCopy(undefined, general).copy.copyLinks).toBe(false)
  expect(filters(remoteCopy({}, general))).toEqual(['general-option', 'general'])
  expect(filters(remoteCopy({ ignores: ['own'], rsync: ['--exclude', 'b'] }, general))).toEqual(['b', 'own'])
  expect(filters(remoteCopy({ ignores: undefined, rsync: undefined }, general))).toEqual([])
})

it('takes what changes no file, and its values', () => {
  const { copy, problems } = remoteCopy({
    rsync: '-avzP --del -e "ssh -p 2" --rsh=ssh --info progress2 -hi --no-p -L --timeout=3',
    maxBuffer: 1 << 20,
  })
  expect(problems).toEqual([])
  expect(copy).toMatchObject({ filter: [], copyLinks: true, keepsModes: false, asDirectory: false })
})

it.each([
  [{ rsync: '--bwlimit=100' }, /^deploy\.remoteCopy\.rsync has --bwlimit: allowed: murder\.uploadLimit$/],
  [{ rsync: '--bwlimit 100' }, /has --bwlimit:/],
  [{ rsync: '-avu' }, /has -u:/],
  [{ rsync: '-f "- x"' }, /has -f:/],
  [{ rsync: ['-a', '/etc'] }, /has "\/etc":/],
  [{ rsync: '--exclude' }, /has --exclude: allowed: a pattern after it$/],
  [{ rsync: '--chmod=g=u' }, /has --chmod="g=u": allowed: modes/],
  [{ rsync: '--chmod=a+s' }, /has --chmod="a\+s": allowed: modes/],
  [{ rsync: '--exclude=$X' }, /rsync is "--exclude=\$X": allowed: options in quotes/],
  [{ rsync: [5] }, /rsync is \[5\]: allowed: options/],
  [{ ignores: 'x' }, /^deploy\.remoteCopy\.ignores is "x": allowed: a list/],
  [{ direction: 'remoteToLocal' }, /^deploy\.remoteCopy\.direction is no option/],
  ['--del', /^deploy\.remoteCopy is "--del": allowed: an object/],
])('refuses remoteCopy %j', (given, line) => {
  const { problems } = remoteCopy(given)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(line)
})
