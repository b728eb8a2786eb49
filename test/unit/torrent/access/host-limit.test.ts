import { expect, test } from 'vitest'
import { HostLimit } from '../../../../src/torrent/access/host-limit.ts'

const opened = (connected: number) => ({ outgoing: false, connected })
const dialed = (connected: number) => ({ outgoing: true, connected })

test.each([opened, dialed])('one address has few connections at a time, each way', (of) => {
  const limit = new HostLimit()
  expect([0, 1, 2, 3, 4, 100].map((connected) => limit.admit('a', of(connected), 0))).toEqual([
    ...[true, true, true, true],
    ...[false, false],
  ])
})

test('ever new connections of one address become rare, and do not count against others', () => {
  const limit = new HostLimit()
  let admitted = 0
  for (let nowS = 0; nowS < 60; nowS += 0.1) if (limit.admit('a', opened(0), nowS)) admitted++
  expect(admitted).toBeGreaterThan(30)
  expect(admitted).toBeLessThan(40)
  expect(limit.admit('b', opened(0), 60)).toBe(true)
})

test('ever new connections of one address do not count against the peer there that is dialed', () => {
  const limit = new HostLimit()
  for (let n = 0; n < 100; n++) limit.admit('a', opened(0), 0)
  expect(limit.admit('a', opened(0), 0)).toBe(false)
  expect(limit.admit('a', dialed(0), 0)).toBe(true)
})
