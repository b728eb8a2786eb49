import { expect, test } from 'vitest'
import { decodeUntrusted, endOfValue } from '../../../../src/torrent/encoding/bencode.ts'

test.each(['i-12e', '4:spam', '0:', 'le', 'de', 'd1:ai1e1:bl2:xyi0eee'])('reads %s to its end', (text) => {
  const bytes = Buffer.from(`${text}more`)
  expect(endOfValue(bytes, 0)).toBe(text.length)
  expect(() => decodeUntrusted(bytes)).not.toThrow()
})

test.each([
  '',
  '-3:abc',
  'd-3:ai1ee',
  'l-1:e',
  'ie',
  'i-e',
  'i1.5e',
  '5:abc',
  '99999999999999999:a',
  'd',
  'l4:spa',
  'di1ei2ee',
])('refuses %j', (text) => {
  expect(() => decodeUntrusted(Buffer.from(text))).toThrow(RangeError)
})

test('refuses too many levels', () => {
  expect(() => decodeUntrusted(Buffer.from('l'.repeat(1000) + 'e'.repeat(1000)))).toThrow(RangeError)
})
