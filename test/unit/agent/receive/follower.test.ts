import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { followerOf } from '../../../../src/agent/receive/follower.ts'

afterEach(() => {
  vi.useRealTimers()
  for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT']) process.removeAllListeners(signal)
})

test.each([
  { after: ['', ''], silentS: 3, suspended: 0 },
  { after: ['', ''], silentS: 80, suspended: 80 },
  // One of an older version says nothing after the order, and this one may have vanished.
  { after: [], silentS: 80, suspended: 0 },
  { after: ['', ''], silentS: 4000, suspended: 0 },
])(
  '$after.length signs of life after the order, then silence for $silentS s',
  async ({ after, silentS, suspended }) => {
    const input = new PassThrough()
    const follower = followerOf(input)
    for (const line of ['', '{"the":"order"}', ...after]) input.write(`${line}\n`)
    expect(await follower.order).toBe('{"the":"order"}')
    await new Promise(setImmediate)
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + silentS * 1000)
    expect(Math.round(follower.suspended())).toBe(suspended)
    vi.restoreAllMocks()
  },
)
