import { expect, test } from 'vitest'
import { Patience } from '../../../../src/deploy/peers/patience.ts'
import { AwakeClock } from '../../../../src/system/awake.ts'

test('a server is tried again until nothing was heard of it for the stall timeout and the grace', () => {
  let now = 100
  const patience = new Patience(20, () => now)
  const lost = { code: 'SSH_LOST' }
  now = 130
  expect(patience.allows(lost)).toBe(true)
  expect(patience.allows({ code: 'SSH_TIMEOUT' })).toBe(true)
  patience.heard()
  now = 164
  expect(patience.allows(lost)).toBe(true)
  now = 165
  expect(patience.allows(lost)).toBe(false)
})

test('time in which this process was suspended counts for no server', () => {
  let now = 100
  const clock = new AwakeClock(() => now)
  const patience = new Patience(20, () => clock.seconds())
  now += 90
  expect(patience.allows({ code: 'SSH_LOST' })).toBe(true)
  for (let second = 0; second < 35; second++, now++) clock.seconds()
  expect(patience.allows({ code: 'SSH_LOST' })).toBe(false)
})

test('what failed on the server is not tried again', () => {
  const patience = new Patience(20)
  for (const code of ['DISK_FULL', 'STALLED', 'COMMAND_FAILED', 'SSH_DENIED', 'INTERRUPTED'])
    expect(patience.allows({ code })).toBe(false)
})

test('without a stall timeout there is no end to it', () => {
  let now = 0
  const patience = new Patience(0, () => now)
  now = 1e6
  expect(patience.allows({ code: 'SSH_LOST' })).toBe(true)
})
