import { expect, test } from 'vitest'
import { bytes, cut, duration, oneLine, percent, rate } from '../../../src/text/format.ts'
import { table, wrap } from '../../../src/text/table.ts'

const KiB = 1024
const MiB = 1024 * KiB

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [99.9 * KiB, '99.9 KiB'],
  [99.97 * KiB, '100 KiB'],
  [1023.4 * KiB, '1023 KiB'],
  [1023.6 * KiB, '1.0 MiB'],
  [27 * MiB, '27.0 MiB'],
  [20 * 1024 * MiB, '20.0 GiB'],
  [5000 * 1024 * 1024 * MiB, '5000 TiB'],
  [-1, '0 B'],
])('bytes(%d) is %s', (count, text) => expect(bytes(count)).toBe(text))

test('rate', () => expect(rate(12.5 * MiB)).toBe('12.5 MiB/s'))

test.each([
  [0, '0 s'],
  [5, '5 s'],
  [0.123, '0.12 s'],
  [0.999, '1.0 s'],
  [9.94, '9.9 s'],
  [9.96, '10 s'],
  [42.4, '42 s'],
  [59.6, '1 min'],
  [65, '1 min 05 s'],
  [3599.6, '1 h'],
  [7440, '2 h 04 min'],
  [86_400 * 2, '48 h'],
  [-1, '?'],
  [Number.NaN, '?'],
  [Number.POSITIVE_INFINITY, '?'],
])('duration(%d) is %s', (seconds, text) => expect(duration(seconds)).toBe(text))

test('100% means that nothing is missing', () => {
  expect(percent(999, 1000)).toBe('99%')
  expect(percent(1000, 1000)).toBe('100%')
  expect(percent(1001, 1000)).toBe('100%')
  expect(percent(0, 0)).toBe('0%')
})

test('oneLine takes the teeth out of what a server says', () => {
  expect(oneLine('\u001b[31mred\u001b[0m\r\n\u001b[2Jnext\tline\u0000 \u009bA')).toBe('red next line A')
  expect(oneLine('a\n[error] b')).toBe('a [error] b')
  expect(oneLine('ünïcödé \u202Etxt')).toBe('ünïcödé txt')
})

test('cut', () => {
  expect(cut('deploy@a', 8)).toBe('deploy@a')
  expect(cut('deploy@ab', 8)).toBe('deploy@…')
  expect(cut('abc', 0)).toBe('')
})

test('table', () => {
  expect(
    table([
      ['a', 'long\ncell', 'x'],
      ['bbb', 'c', ''],
    ]),
  ).toBe('a    long  x\n     cell\nbbb  c')
})

test('wrap', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k'])
  expect(wrap('abcdefgh', 4)).toEqual(['abcd', 'efgh'])
  expect(wrap('', 4)).toEqual([''])
})
