import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConnectTimer } from '../../../../../src/fleet/ssh/connection/connect-timer.ts'
import { awakeSeconds } from '../../../../../src/system/awake.ts'

vi.mock('../../../../../src/system/awake.ts', () => ({ awakeSeconds: vi.fn() }))
let asleepMs = 0
beforeEach(() => {
  vi.useFakeTimers()
  asleepMs = 0
  vi.mocked(awakeSeconds).mockImplementation(() => (performance.now() - asleepMs) / 1000)
})
afterEach(() => vi.useRealTimers())

test.each([1, 2, 3])('with %i addresses each has its time', async (turns) => {
  const expire = vi.fn()
  new ConnectTimer(10, async () => ({ turns }), expire)
  await vi.advanceTimersByTimeAsync(turns * 10_000 - 1)
  expect(expire).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(expire).toHaveBeenCalledExactlyOnceWith({ turns })
})

test('a deploy that was suspended while ssh connects gives it its time afterwards', async () => {
  const expire = vi.fn()
  new ConnectTimer(10, async () => ({ turns: 1 }), expire)
  asleepMs = 90_000
  await vi.advanceTimersByTimeAsync(99_000)
  expect(expire).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1_500)
  expect(expire).toHaveBeenCalledOnce()
})

test('what is stopped never expires, also while it asks or waits again', async () => {
  const expire = vi.fn()
  for (const milliseconds of [5_000, 10_000, 15_000]) {
    const timer = new ConnectTimer(10, async () => ({ turns: 2 }), expire)
    await vi.advanceTimersByTimeAsync(milliseconds)
    timer.stop()
  }
  let answer = (_: { turns: number }) => {}
  const asking = new ConnectTimer(10, () => new Promise((resolve) => (answer = resolve)), expire)
  await vi.advanceTimersByTimeAsync(10_000)
  asking.stop()
  answer({ turns: 1 })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(expire).not.toHaveBeenCalled()
})

test('0 seconds are no limit', async () => {
  const route = vi.fn(async () => ({ turns: 1 }))
  new ConnectTimer(0, route, () => {})
  await vi.advanceTimersByTimeAsync(60_000)
  expect(route).not.toHaveBeenCalled()
})

test.each([
  [9.8, 2, undefined],
  [9.95, 2, { turns: 1 }],
  [10, 1, { turns: 1 }],
  [10, 2, { turns: 1 }],
  [20, 2, { turns: 2 }],
  [35, 2, { turns: 2 }],
])(
  'when ssh gives up after %d s of 10, %i addresses have had their time: %j',
  async (seconds, turns, route) => {
    const timer = new ConnectTimer(10, async () => ({ turns }), vi.fn())
    await vi.advanceTimersByTimeAsync(seconds * 1000)
    timer.stop()
    expect(await timer.spent()).toEqual(route)
  },
)
