import { expect, test } from 'vitest'
import { NS_PER_S, splitTime } from '../../../src/files/times.ts'

test.each([
  [0n, 0n, 0n],
  [1_500_000_000n, 1n, 500_000_000n],
  [-1n, -1n, 999_999_999n],
  [-1_500_000_000n, -2n, 500_000_000n],
  [-2_000_000_000n, -2n, 0n],
])('%s ns are %s s and %s ns', (mtime, seconds, nanoseconds) => {
  expect(splitTime(mtime)).toEqual({ seconds, nanoseconds })
  expect(seconds * NS_PER_S + nanoseconds).toBe(mtime)
})
