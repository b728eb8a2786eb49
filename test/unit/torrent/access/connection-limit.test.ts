import { expect, test } from 'vitest'
import { ConnectionLimit } from '../../../../src/torrent/access/connection-limit.ts'

test('gives up the oldest connection of the address that has most', () => {
  const limit = new ConnectionLimit<string>(3)
  expect(limit.add('a1', 'a')).toBeUndefined()
  expect(limit.add('b1', 'b')).toBeUndefined()
  expect(limit.add('b2', 'b')).toBeUndefined()
  expect(limit.add('c1', 'c')).toBe('b1')
  expect(limit.add('b3', 'b')).toBe('b2')
  expect(limit.add('c2', 'c')).toBe('c1')
})

test('a flood displaces itself', () => {
  const limit = new ConnectionLimit<number>(10)
  limit.add(-1, 'friend')
  for (let connection = 0; connection < 10_000; connection++)
    expect(limit.add(connection, 'enemy')).not.toBe(-1)
})

test('a connection that was removed makes room', () => {
  const limit = new ConnectionLimit<string>(1)
  limit.add('a', 'x')
  limit.remove('a')
  limit.remove('a')
  expect(limit.add('b', 'x')).toBeUndefined()
})
