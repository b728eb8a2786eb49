import { describe, expect, test } from 'vitest'
import type { Delivered } from '../../../../src/deploy/deltas/bases.ts'
import { groupByBase } from '../../../../src/deploy/deltas/group-by-base.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const server = (label: string) => ({ label }) as Server
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(server) as [Server, Server, Server, Server]
const has = (base: string | undefined, staged?: string): Delivered => ({
  base,
  currentRelease: '1',
  staged: staged === undefined ? undefined : { release: '2', base: staged },
})

describe('servers by what was delivered to them', () => {
  test('the largest group first; none where nothing is noted', () => {
    const facts = new Map([
      [a, has('x')],
      [b, has('y')],
      [c, has('y')],
      [d, has(undefined)],
    ])
    expect(groupByBase(facts)).toEqual([
      { id: 'y', servers: [b, c] },
      { id: 'x', servers: [a] },
    ])
    expect(groupByBase(facts, 1)).toEqual([{ id: 'y', servers: [b, c] }])
    expect(groupByBase(facts, 0)).toEqual([])
    expect(groupByBase(new Map([[a, { base: 'x', currentRelease: undefined, staged: undefined }]]))).toEqual(
      [],
    )
  })

  test('a server with a staged release is in the groups of both', () => {
    const facts = new Map([
      [a, has('x', 'z')],
      [b, has('x', 'z')],
      [c, has('x')],
    ])
    expect(groupByBase(facts)).toEqual([
      { id: 'z', servers: [a, b] },
      { id: 'x', servers: [a, b, c] },
    ])
    expect(groupByBase(facts, 1)).toEqual([{ id: 'z', servers: [a, b] }])
    expect(groupByBase(facts, 4, { deltas: false })).toEqual([{ id: 'z', servers: [a, b] }])
  })

  test('one of many bases gets no delta', () => {
    const facts = new Map([...Array(9).keys()].map((index) => [server(`${index}`), has(`${index}`)] as const))
    expect(groupByBase(facts)).toHaveLength(4)
  })
})
