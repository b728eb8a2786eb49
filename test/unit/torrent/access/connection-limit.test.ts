import { expect, test } from 'vitest'
import { ConnectionLimit } from '../../../../src/torrent/access/connection-limit.ts'

test('turns out the oldest of the address that has most', () => {
  const room = new ConnectionLimit<string>(3)
  expect(room.enter('a1', 'a')).toBeUndefined()
  expect(room.enter('b1', 'b')).toBeUndefined()
  expect(room.enter('b2', 'b')).toBeUndefined()
  expect(room.enter('c1', 'c')).toBe('b1')
  expect(room.enter('b3', 'b')).toBe('b2')
  expect(room.enter('c2', 'c')).toBe('c1')
})

test('a flood turns out itself', () => {
  const room = new ConnectionLimit<number>(10)
  room.enter(-1, 'friend')
  for (let guest = 0; guest < 10_000; guest++) expect(room.enter(guest, 'enemy')).not.toBe(-1)
})

test('who has left makes room', () => {
  const room = new ConnectionLimit<string>(1)
  room.enter('a', 'x')
  room.leave('a')
  room.leave('a')
  expect(room.enter('b', 'x')).toBeUndefined()
})
