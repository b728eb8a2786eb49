import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RoundTripClock } from '../../../../../src/torrent/peers/subflows/round-trip-clock.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a way is as long as the process looked in vain', () => {
  let lateMs = 0
  const clock = new RoundTripClock(() => performance.now() + lateMs)
  vi.advanceTimersByTime(100)
  lateMs = 1
  const { mostS, leastS } = clock.stop()
  expect(mostS).toBeCloseTo(0.101)
  expect(leastS).toBeCloseTo(0.09)
})

test('a near neighbour of a busy process is not far', () => {
  let lateMs = 0
  const clock = new RoundTripClock(() => performance.now() + lateMs)
  vi.advanceTimersByTime(5)
  lateMs = 300 // it did not look meanwhile
  vi.advanceTimersByTime(5)
  const { mostS, leastS } = clock.stop()
  expect(mostS).toBeGreaterThan(0.3)
  expect(leastS).toBe(0)
})

test('a connection that is there at once says nothing', () => {
  expect(new RoundTripClock(() => 0).stop()).toEqual({ mostS: 0, leastS: 0 })
})
