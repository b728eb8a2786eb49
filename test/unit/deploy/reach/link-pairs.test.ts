import { expect, test } from 'vitest'
import { linkPairs, type Pair, pairsToLink } from '../../../../src/deploy/reach/link-pairs.ts'

const degrees = (count: number, pairs: readonly Pair[]) =>
  Array.from({ length: count }, (_, server) => pairs.filter((pair) => pair.includes(server)).length)

test.each([1, 2, 3, 4, 7, 8, 9, 10, 20, 64, 100, 1000])(
  '%i servers: each pair once, few for each, and all reached',
  (count) => {
    const pairs = linkPairs(count)
    expect(new Set(pairs.map((pair) => [...pair].sort((a, b) => a - b).join())).size).toBe(pairs.length)
    expect(Math.max(...degrees(count, pairs))).toBeLessThanOrEqual(Math.min(6, count - 1))
    for (let server = 0; server < count; server++) {
      expect(pairs.filter(([from]) => from === server).length).toBeLessThanOrEqual(3)
      expect(pairs.filter(([, to]) => to === server).length).toBeLessThanOrEqual(3)
    }
    const steps = distances(count, pairs)
    expect(Math.max(...steps)).toBeLessThanOrEqual(Math.ceil(1.5 * Math.cbrt(count)) + 1)
  },
)

function distances(count: number, pairs: readonly Pair[]): number[] {
  const steps = Array.from({ length: count }, (_, at) => (at === 0 ? 0 : Number.POSITIVE_INFINITY))
  for (let round = 0; round < count; round++)
    for (const [one, other] of pairs) {
      const [a = 0, b = 0] = [steps[one], steps[other]]
      steps[one] = Math.min(a, b + 1)
      steps[other] = Math.min(b, a + 1)
    }
  return steps
}

const all = () => true
const none = () => false

test('where all reach each other, or nothing is known, nothing is joined', () => {
  expect(pairsToLink(8, all)).toEqual([])
  expect(pairsToLink(8, () => undefined)).toEqual([])
})

test('where none reaches another, all pairs of the graph are', () => {
  expect(pairsToLink(8, none)).toEqual(linkPairs(8))
})

test('one direction is enough', () => {
  expect(pairsToLink(6, (from, to) => from < to)).toEqual([])
})

test('two halves that do not reach each other: the pairs between them', () => {
  const half = (server: number) => server < 4
  const pairs = pairsToLink(8, (from, to) => half(from) === half(to))
  expect(pairs.length).toBeGreaterThan(3)
  expect(pairs.every(([one, other]) => half(one) !== half(other))).toBe(true)
})

test('one that nobody reaches is joined; one way that is closed is not mended where there are enough others', () => {
  const lone = pairsToLink(6, (from, to) => from !== 2 && to !== 2)
  expect(degrees(6, lone)[2]).toBe(5)
  const closed = (from: number, to: number) => !(from + to === 1)
  expect(pairsToLink(6, closed)).toEqual([])
})
