import { expect, test } from 'vitest'
import { isClearlySmaller, isSurelyNeeded, smallestDeltas } from '../../../../src/deploy/deltas/need-whole.ts'
import type { Transfer } from '../../../../src/deploy/transfer/transfer.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const [one, two, three] = ['one', 'two', 'three'].map((label) => ({ label })) as unknown as [
  Server,
  Server,
  Server,
]

test('a server for which no delta is made needs the package', () => {
  const of = (...groups: Server[][]) =>
    isSurelyNeeded(
      [one, two],
      groups.map((servers) => ({ servers })),
    )
  expect(of()).toBe(true)
  expect(of([one])).toBe(true)
  expect(of([one, two])).toBe(false)
  expect(of([two], [one])).toBe(false)
  expect(of([one, three])).toBe(true)
  expect(isSurelyNeeded([], [])).toBe(false)
})

test('only a delta of half the estimate is smaller for certain', () => {
  expect(isClearlySmaller(50, 100)).toBe(true)
  expect(isClearlySmaller(51, 100)).toBe(false)
  expect(isClearlySmaller(0, 0)).toBe(true)
})

test('a server that has several bases gets the smallest delta', () => {
  const [small, large] = [{ length: 10 }, { length: 20 }] as [Transfer, Transfer]
  const [first, last] = [
    { servers: [one, two], delta: large },
    { servers: [two, three], delta: small },
  ] as const
  const expected = [large, small, small]
  for (const made of [
    [first, last],
    [last, first],
  ]) {
    const smallest = smallestDeltas(made)
    expect([one, two, three].map((server) => smallest.get(server))).toEqual(expected)
  }
  expect(smallestDeltas([first]).get(three)).toBeUndefined()
})
