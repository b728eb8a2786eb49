import { expect, test } from 'vitest'
import { watch } from '../../../../src/deploy/rollout/watch.ts'

test('looks until the time is over, the last time at its end', async () => {
  let looks = 0
  const look = async () => ++looks > 0
  await watch(0.05, look, { everyS: 0.02 })
  expect(looks).toBeGreaterThan(1)
  looks = 0
  await watch(0.02, look, { everyS: 60 })
  expect(looks).toBe(1)
})

test('ends when nothing is left to look at', async () => {
  let looks = 0
  await watch(60, async () => ++looks < 2, { everyS: 0.01 })
  expect(looks).toBe(2)
})

test('ends with the error of a look, or when it is told so', async () => {
  await expect(watch(60, () => Promise.reject(new Error('ill')), { everyS: 0.01 })).rejects.toThrow('ill')
  const signal = AbortSignal.timeout(20)
  await expect(watch(60, async () => true, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
})
