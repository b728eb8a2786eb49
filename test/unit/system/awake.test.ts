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

test('… and while it is held, also what turns out later', () => {
  let now = 0
  let silent = 0
  const clock = new AwakeClock(
    () => now,
    () => (silent > 6 ? silent : 0),
  )
  const pass = (seconds: number, isSilent: boolean) => {
    for (let left = seconds; left > 0; left--) {
      now++
      silent = isSilent ? silent + 1 : 0
      clock.seconds()
    }
  }
  pass(10, false)
  pass(6, true)
  expect(clock.seconds()).toBe(16)
  pass(90, true)
  expect(clock.seconds()).toBe(10)
  pass(2, false)
  expect(clock.seconds()).toBe(12)
  now += 90 // It was suspended itself, too.
  silent = 90
  expect(clock.seconds()).toBe(12)
})
