import { expect, test } from 'vitest'
import { countWays, waysTable } from '../../../../src/deploy/doctor/ways-between.ts'

test('of both directions of a pair the better one counts', () => {
  const ways = countWays([
    { from: 'a', to: 'b', way: 'none' },
    { from: 'b', to: 'a', way: 'direct' },
    { from: 'a', to: 'c', way: 'ssh' },
    { from: 'c', to: 'a', way: 'none' },
    { from: 'b', to: 'c', way: 'none' },
  ])
  expect(ways).toEqual({ direct: 1, ssh: 1, none: 1 })
  expect(waysTable(ways, false).join('').split('\n')).toEqual([
    expect.stringMatching(/^pairs +exchange/),
    expect.stringMatching(/^1 +directly/),
    expect.stringMatching(/^1 +over SSH +open murder.ports; or set/),
    expect.stringMatching(/^1 +not at all +open murder\.ports/),
  ])
  expect(waysTable(ways, true).join('')).not.toContain('murder.between')
})

test('nothing is said where all is direct', () => {
  expect(waysTable({ direct: 10, ssh: 0, none: 0 }, false)).toEqual([])
})
