import { expect, test } from 'vitest'
import { EtaEstimator } from '../../../../src/report/live/eta.ts'

const at = (bytes: number, total = 1000) => ({ bytes, total, rate: 1 })

test('a swarm that begins slowly gets no estimate from its first second', () => {
  const eta = new EtaEstimator()
  expect([0, 1, 2].map((now) => eta.take(now, 'transfer', at(now * 13)))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(eta.take(4, 'transfer', at(400))).toBe(6)
})

test('the last seconds count, not the beginning', () => {
  const eta = new EtaEstimator()
  for (let now = 0; now <= 60; now++) eta.take(now, 'transfer', at(now))
  for (let now = 61; now <= 80; now++) eta.take(now, 'transfer', at(60 + (now - 60) * 40))
  expect(eta.take(80, 'transfer', at(860))).toBe(3.5)
})

test('another step or another total begins anew; what stands still has none; what is complete has 0', () => {
  const eta = new EtaEstimator()
  eta.take(0, 'package', at(0))
  expect(eta.take(5, 'package', at(500))).toBe(5)
  expect(eta.take(6, 'transfer', at(0))).toBeUndefined()
  expect(eta.take(16, 'transfer', at(0))).toBeUndefined()
  expect(eta.take(17, 'transfer', at(0, 100))).toBeUndefined()
  expect(eta.take(21, 'transfer', at(50, 100))).toBe(4)
  expect(eta.take(22, 'transfer', at(100, 100))).toBe(0)
})
