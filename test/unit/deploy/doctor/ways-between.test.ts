import { expect, test } from 'vitest'
import { PairWays, waysTable } from '../../../../src/deploy/doctor/ways-between.ts'

test('of both directions of a pair the better one counts', () => {
  const pairs = new PairWays([
    { from: 'a', to: 'b', way: 'none' },
    { from: 'b', to: 'a', way: 'direct' },
    { from: 'a', to: 'c', way: 'ssh' },
    { from: 'c', to: 'a', way: 'none' },
    { from: 'b', to: 'c', way: 'none' },
  ])
  const ways = pairs.count()
  expect([pairs.of('a', 'b'), pairs.of('b', 'a'), pairs.of('d', 'a')]).toEqual([
    'direct',
    'direct',
    undefined,
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
