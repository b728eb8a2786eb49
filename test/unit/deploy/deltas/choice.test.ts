import { describe, expect, test } from 'vitest'
import { groupByBase } from '../../../../src/deploy/deltas/group-by-base.ts'
import { timeLimitMs } from '../../../../src/deploy/deltas/time-limit.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const server = (label: string) => ({ label }) as Server
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(server) as [Server, Server, Server, Server]
const has = (base: string | undefined, currentRelease: string | undefined = '1') => ({ base, currentRelease })

describe('servers by what was delivered to them', () => {
  test('the largest group first; none for what is unknown on either side', () => {
    const facts = new Map([
      [a, has('x')],
      [b, has('y')],
      [c, has('y')],
      [d, has(undefined)],
    ])
    expect(groupByBase(facts, () => true)).toEqual([
      { id: 'y', servers: [b, c] },
      { id: 'x', servers: [a] },
    ])
    expect(groupByBase(facts, (id) => id === 'x')).toEqual([{ id: 'x', servers: [a] }])
    expect(groupByBase(facts, () => true, 1)).toEqual([{ id: 'y', servers: [b, c] }])
    expect(groupByBase(facts, () => true, 0)).toEqual([])
    expect(groupByBase(new Map([[a, { base: 'x', currentRelease: undefined }]]), () => true)).toEqual([])
  })

  test('one of many bases gets no delta', () => {
    const facts = new Map([...Array(9).keys()].map((index) => [server(`${index}`), has(`${index}`)] as const))
    expect(groupByBase(facts, () => true)).toHaveLength(4)
  })
})

test('a delta may take as long as the package would', () => {
  expect(timeLimitMs(0, 0)).toBe(5000)
  expect(timeLimitMs(125e6, 0)).toBe(15_000)
  expect(timeLimitMs(125e6, 1e6)).toBe(130_000)
  expect(timeLimitMs(125e6, 1e9)).toBe(15_000)
})
