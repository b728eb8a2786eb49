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

test('… and while it is held', () => {
  let now = 0
  let isHeld = false
  const clock = new AwakeClock(
    () => now,
    () => isHeld,
  )
  const pass = (seconds: number) => {
    for (let left = seconds; left > 0; left--) {
      now++
      clock.seconds()
    }
  }
  pass(10)
  isHeld = true
  pass(90)
  isHeld = false
  pass(2)
  expect(clock.seconds()).toBe(12)
})
