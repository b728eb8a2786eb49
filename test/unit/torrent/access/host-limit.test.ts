import { expect, test } from 'vitest'
import { HostLimit } from '../../../../src/torrent/access/host-limit.ts'

test('one address has few connections at a time', () => {
  const limit = new HostLimit()
  expect([0, 1, 2, 3, 4, 100].map((connected) => limit.admit('a', connected, 0))).toEqual([
    ...[true, true, true, true],
    ...[false, false],
  ])
})

test('ever new connections of one address become rare, and do not count against others', () => {
  const limit = new HostLimit()
  let admitted = 0
  for (let nowS = 0; nowS < 60; nowS += 0.1) if (limit.admit('a', 0, nowS)) admitted++
  expect(admitted).toBeGreaterThan(30)
  expect(admitted).toBeLessThan(40)
  expect(limit.admit('b', 0, 60)).toBe(true)
})
