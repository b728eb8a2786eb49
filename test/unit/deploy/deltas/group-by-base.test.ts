import { describe, expect, test } from 'vitest'
import { groupByBase } from '../../../../src/deploy/deltas/group-by-base.ts'
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
