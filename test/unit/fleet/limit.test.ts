import { expect, test } from 'vitest'
import { Limit } from '../../../src/fleet/limit.ts'
import { backoff, pause } from '../../../src/system/backoff.ts'

test('no more than the limit hold a place, and all get one', async () => {
  const limit = new Limit(3)
  let held = 0
  let most = 0
  const work = async () => {
    const release = await limit.acquire()
    most = Math.max(most, ++held)
    await new Promise(setImmediate)
    held--
    release()
    release() // Twice is once.
  }
  await Promise.all(Array.from({ length: 20 }, work))
  expect(most).toBe(3)
  expect(held).toBe(0)
})

test('a caller that gives up waiting takes no turn', async () => {
  const limit = new Limit(1)
  const release = await limit.acquire()
  const abort = new AbortController()
  const waiting = limit.acquire(abort.signal)
  const behind = limit.acquire()
  abort.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  release()
  await behind
})

test('pauses double, with a spread of half either way', () => {
  expect([1, 2, 3].map((retry) => backoff(retry, () => 0.5))).toEqual([0.5, 1, 2])
  expect(backoff(1, () => 0)).toBe(0.25)
})

test('an abort ends a pause, also one that was there before', async () => {
  const abort = new AbortController()
  const paused = pause(3600, abort.signal)
  abort.abort(new Error('enough'))
  await expect(paused).rejects.toThrow('enough')
  await expect(pause(3600, abort.signal)).rejects.toThrow('enough')
})
