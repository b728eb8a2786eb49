import { expect, test, vi } from 'vitest'
import { ProgressLimits } from '../../../../../src/deploy/peers/limits/progress-limits.ts'
import { awakeSeconds } from '../../../../../src/system/awake.ts'

vi.mock('../../../../../src/system/awake.ts', () => ({ awakeSeconds: vi.fn(() => 10) }))

test('time in which the deploy was suspended is no stall', () => {
  vi.useFakeTimers()
  const limits = new ProgressLimits({ stall: 60, total: 60 }, { length: 1000, pieceLength: 1000, files: 1 })
  vi.advanceTimersByTime(200_000)
  expect(limits.ranOut()).toBeUndefined()
  vi.mocked(awakeSeconds).mockReturnValue(100)
  expect(limits.ranOut()).toMatchObject({ why: 'total' })
  vi.useRealTimers()
})
