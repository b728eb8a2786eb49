import { expect, test } from 'vitest'
import { isBypassed, unreachable } from '../../../../src/deploy/doctor/unreachable.ts'

const auto = { reach: 'auto', between: 'auto' } as const
const direct = { reach: 'direct', between: 'direct' } as const

test('a deploy gets around closed ports of the deploy host, unless reach is direct', () => {
  for (const port of ['tracker', 'seeder'] as const) {
    expect(isBypassed(port, undefined, auto)).toBe(true)
    expect(isBypassed(port, undefined, { ...auto, reach: 'ssh' })).toBe(true)
    expect(isBypassed(port, undefined, direct)).toBe(false)
  }
  expect(isBypassed('external tracker', undefined, auto)).toBe(false)
})

test('and around those of servers where one of two connects, or where it may use SSH', () => {
  expect(isBypassed('peer', 'direct', direct)).toBe(true)
  expect(isBypassed('peer', 'ssh', auto)).toBe(true)
  expect(isBypassed('peer', 'ssh', direct)).toBe(false)
  expect(isBypassed('peer', 'none', auto)).toBe(false)
  expect(isBypassed('peer', undefined, auto)).toBe(false)
})

test('what it gets around is shown as such', () => {
  const closed = { from: 'a', to: 'b', port: 'peer', number: 6881, word: 'mute' } as const
  expect(unreachable(closed, true)).toMatchObject({
    bypassed: true,
    cure: expect.stringMatching(/^nothing has to be done/),
  })
  expect(unreachable(closed, false)).not.toHaveProperty('bypassed')
})
