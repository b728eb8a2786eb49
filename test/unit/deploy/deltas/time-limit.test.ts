import { expect, test } from 'vitest'
import { timeLimitMs } from '../../../../src/deploy/deltas/time-limit.ts'

test('a delta may take as long as the package would', () => {
  expect(timeLimitMs(0, 0)).toBe(5000)
  expect(timeLimitMs(125e6, 0)).toBe(15_000)
  expect(timeLimitMs(125e6, 1e6)).toBe(130_000)
  expect(timeLimitMs(125e6, 1e9)).toBe(15_000)
})
