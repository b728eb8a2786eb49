import { expect, test } from 'vitest'
import type { DeliveryMark } from '../../../../src/torrent/scheduler/delivery-rate.ts'
import { RequestWindow } from '../../../../src/torrent/scheduler/request-window.ts'

const KiB = 1024
const BLOCK = 16 * KiB

interface Way {
  /** Bytes a second. */
  rate: number
  roundTripS: number
  /** Times at which nothing comes, from when to when: what comes meanwhile is there at the end of it. */
  stalls?: [number, number][]
  neighbours?: number
}

/** Downloads over one way for so long, asking as the window says; returns its size every tenth of a second. */
function run({ rate, roundTripS, stalls = [], neighbours = 1 }: Way, seconds: number): number[] {
  const window = new RequestWindow()
  window.measured(roundTripS, roundTripS)
  const share = { rate: 3e6 / neighbours, aheadS: 0.15, minBytes: 0, isOfFew: neighbours <= 2 }
  const pending: { mark: DeliveryMark; owed: number; dueS: number }[] = []
  let owed = 0
  let freeAtS = 0
  const sizes: number[] = []
  for (let ms = 0; ms < seconds * 1000; ms++) {
    const nowS = ms / 1000
    if (!stalls.some(([from, to]) => nowS >= from && nowS < to)) {
      while (pending[0] && pending[0].dueS <= nowS) {
        const { mark, owed: owedBytes } = pending.shift() as (typeof pending)[0]
        owed -= BLOCK
        window.answered(BLOCK, mark, owedBytes, nowS)
      }
    }
    window.resize(share)
    while (owed < window.size) {
      owed += BLOCK
      freeAtS = Math.max(freeAtS, nowS) + BLOCK / rate
      pending.push({ mark: window.mark(nowS), owed, dueS: freeAtS + roundTripS })
    }
    if (ms % 100 === 99) sizes.push(window.size)
  }
  return sizes
}

const last = (sizes: number[]) => sizes.at(-1) as number

test.each([
  ['20 Mbit/s, 100 ms', { rate: 2.5e6, roundTripS: 0.1 }],
  ['300 Mbit/s, 200 ms', { rate: 37.5e6, roundTripS: 0.2 }],
  ['1 Gbit/s, 200 ms', { rate: 125e6, roundTripS: 0.2 }],
  ['1 Gbit/s, 200 ms, one of 8 neighbours', { rate: 125e6, roundTripS: 0.2, neighbours: 8 }],
])('a long way gets two to six times what it holds: %s', (_, way) => {
  const holds = way.rate * way.roundTripS
  const size = last(run(way, 3))
  expect(size / holds).toBeGreaterThan(2)
  expect(size / holds).toBeLessThan(Math.max(6, (3 * way.roundTripS + 0.3) / way.roundTripS + 1))
})

test('the window of a long way at least doubles in each two round trips until the way is full', () => {
  const sizes = run({ rate: 125e6, roundTripS: 0.1 }, 1.5)
  for (let at = 2; at < sizes.length && (sizes[at] as number) < 25e6; at++)
    expect((sizes[at] as number) / (sizes[at - 2] as number)).toBeGreaterThan(2)
  expect(last(sizes)).toBeGreaterThan(25e6)
})

test.each([
  ['once, for a round trip', [[2, 2.1]]],
  ['once, for a second', [[2, 3]]],
  ['ten times', Array.from({ length: 10 }, (_, i) => [2 + i / 4, 2.1 + i / 4])],
] as [string, [number, number][]][])(
  'a lost packet that holds up what is behind it shrinks nothing: %s',
  (_, stalls) => {
    const way = { rate: 12.5e6, roundTripS: 0.1 }
    const without = last(run(way, 5))
    for (const size of run({ ...way, stalls }, 5).slice(20)) {
      expect(size).toBeGreaterThan(without * 0.9)
      expect(size).toBeLessThan(without * 2)
    }
  },
)

test('a short way keeps to its share, however fast a burst was', () => {
  const way = { rate: 125e6, roundTripS: 0.0005, neighbours: 8 }
  expect(last(run(way, 2))).toBeLessThanOrEqual((3e6 / 8) * 0.15)
  expect(last(run({ ...way, stalls: [[1, 1.3]] }, 2))).toBeLessThanOrEqual((3e6 / 8) * 0.15)
})

test('what took long is not far for that: a busy machine hears of everything late', () => {
  const window = new RequestWindow()
  window.measured(0.1, 0.002)
  expect(window.isLong).toBe(false)
  window.measured(0.1, 0.08)
  expect(window.isLong).toBe(true)
  window.measured(0.005)
  expect(window.isLong).toBe(false)
})

test('a window of few neighbours is not small, and one of many begins with a block', () => {
  expect(run({ rate: 1e6, roundTripS: 1 }, 0.5)[0]).toBe(256 * KiB)
  expect(run({ rate: 1e6, roundTripS: 0.001, neighbours: 8 }, 0.005 + 0.1)[0]).toBeGreaterThanOrEqual(BLOCK)
  const window = new RequestWindow()
  window.resize({ rate: 1e6, aheadS: 0.15, minBytes: 0, isOfFew: false })
  expect(window.size).toBe(BLOCK)
})

test('blocks are as long as fits the window twice', () => {
  const window = new RequestWindow()
  window.size = 130 * KiB
  expect([16, 32, 128].map((most) => window.blockLength(most * KiB) / KiB)).toEqual([16, 32, 64])
})

test('several connections decide together', () => {
  const window = new RequestWindow()
  window.flows = { bytes: 900_000, blockBytes: 40_000 }
  window.resize({ rate: 1e6, aheadS: 0.15, minBytes: 0, isOfFew: true })
  expect(window.size).toBe(900_000)
  expect(window.blockLength(128 * KiB)).toBe(32 * KiB)
})
