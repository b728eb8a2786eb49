import { expect, test } from 'vitest'
import { AwakeClock } from '../../../src/system/awake.ts'

test('the clock stands still while its process is suspended', () => {
  let now = 100
  const clock = new AwakeClock(() => now)
  for (; now < 110; now++) clock.seconds()
  expect(clock.seconds()).toBe(110)
  now += 90 // nobody has looked
  expect(clock.seconds()).toBe(110)
  now += 4
  expect(clock.seconds()).toBe(114)
})
