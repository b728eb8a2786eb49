import { expect, test } from 'vitest'
import { watch } from '../../../../src/deploy/rollout/watch.ts'

test('looks until the time is over, the last time at its end', async () => {
  let looks = 0
  const look = async () => void looks++
  expect(await watch(0.05, look, { everyS: 0.02 })).toBeUndefined()
  expect(looks).toBeGreaterThan(1)
  looks = 0
  await watch(0.02, look, { everyS: 60 })
  expect(looks).toBe(1)
})

test('ends with the first finding', async () => {
  let looks = 0
  const look = async () => (++looks === 2 ? 'ill' : undefined)
  expect(await watch(60, look, { everyS: 0.01 })).toBe('ill')
})

test('ends when it is told so', async () => {
  const signal = AbortSignal.timeout(20)
  await expect(watch(60, async () => undefined, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
})
