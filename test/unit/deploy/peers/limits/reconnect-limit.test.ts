import { expect, test } from 'vitest'
import { ReconnectLimit } from '../../../../../src/deploy/peers/limits/reconnect-limit.ts'
import { AwakeClock } from '../../../../../src/system/awake.ts'

test('a server is tried again until nothing was heard of it for the stall timeout and the grace', () => {
  let now = 100
  const reconnectLimit = new ReconnectLimit(20, () => now)
  const lost = { code: 'SSH_LOST' }
  now = 130
  expect(reconnectLimit.allows(lost)).toBe(true)
  expect(reconnectLimit.allows({ code: 'SSH_TIMEOUT' })).toBe(true)
  reconnectLimit.heard()
  now = 164
  expect(reconnectLimit.allows(lost)).toBe(true)
  now = 165
  expect(reconnectLimit.allows(lost)).toBe(false)
})

test('time in which this process was suspended counts for no server', () => {
  let now = 100
  const clock = new AwakeClock(() => now)
  const reconnectLimit = new ReconnectLimit(20, () => clock.seconds())
  now += 90
  expect(reconnectLimit.allows({ code: 'SSH_LOST' })).toBe(true)
  for (let second = 0; second < 35; second++, now++) clock.seconds()
  expect(reconnectLimit.allows({ code: 'SSH_LOST' })).toBe(false)
})

test('what failed on the server is not tried again', () => {
  const reconnectLimit = new ReconnectLimit(20)
  for (const code of ['DISK_FULL', 'STALLED', 'COMMAND_FAILED', 'SSH_DENIED', 'INTERRUPTED'])
    expect(reconnectLimit.allows({ code })).toBe(false)
})

test('without a stall timeout there is no end to it', () => {
  let now = 0
  const reconnectLimit = new ReconnectLimit(0, () => now)
  now = 1e6
  expect(reconnectLimit.allows({ code: 'SSH_LOST' })).toBe(true)
})
