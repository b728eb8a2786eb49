import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { awakeSeconds } from '../../../src/system/awake.ts'
import { AwakeTimer } from '../../../src/system/awake-timer.ts'

vi.mock('../../../src/system/awake.ts', () => ({ awakeSeconds: vi.fn() }))
let asleepMs = 0
beforeEach(() => {
  vi.useFakeTimers()
  asleepMs = 0
  vi.mocked(awakeSeconds).mockImplementation(() => (performance.now() - asleepMs) / 1000)
})
afterEach(() => vi.useRealTimers())

test('time in which the process was suspended does not count', async () => {
  const expire = vi.fn()
  new AwakeTimer(10, expire)
  asleepMs = 8_000
  await vi.advanceTimersByTimeAsync(17_900)
  expect(expire).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(200)
  expect(expire).toHaveBeenCalledOnce()
})

test('it begins anew, and what is stopped never expires', async () => {
  const expire = vi.fn()
  const timer = new AwakeTimer(10, expire)
  await vi.advanceTimersByTimeAsync(9_000)
  timer.refresh()
  await vi.advanceTimersByTimeAsync(9_000)
  timer.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(expire).not.toHaveBeenCalled()
})
