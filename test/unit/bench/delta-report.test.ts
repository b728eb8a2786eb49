import { expect, test } from 'vitest'
import { plotDeltas } from '../../../bench/delta/plot.ts'
import { type DeltaRun, intoTable, outTable } from '../../../bench/delta/report.ts'

const run = (servers: number, way: DeltaRun['way'], received: number, sent = received): DeltaRun => ({
  pair: 'nothing changed',
  servers,
  way,
  received,
  sent,
  got: way === 'murder' ? 'times of 60' : '',
  problems: [],
})
const pairs = [{ name: 'nothing changed', must: 0.4, make: async () => {}, change: async () => {} }]
const rowOf = (table: string, index = 0) => table.split('\n')[2 + index]?.split(/ {2,}/)

test('bytes into a server are compared with rsync’s of the same fleet', () => {
  const runs = [run(1, 'murder', 40_000), run(1, 'rsync', 160_000), run(12, 'murder', 90_000)]
  const table = intoTable(pairs, [...runs, run(12, 'rsync', 160_000)], [1, 12])
  expect(rowOf(table)).toEqual([
    'nothing changed',
    '1',
    '40,000',
    '160,000',
    '–',
    '0.250',
    '≤ 0.4',
    'ok',
    'times of 60',
  ])
  expect(rowOf(table, 1)?.slice(5, 8)).toEqual(['0.563', '≤ 0.4', 'MISSED'])
  const wrong = { ...run(1, 'murder', 1), problems: ['other content'] }
  expect(rowOf(intoTable(pairs, [wrong, run(1, 'rsync', 2)], [1]))?.[2]).toBe('–')
})

test('bytes out of the deploy host may grow by what SSH costs', () => {
  const of = (twelve: number) =>
    outTable(pairs, [run(1, 'murder', 0, 1000), run(12, 'murder', 0, twelve)], [1, 12])
  expect(rowOf(of(12_300))?.slice(1)).toEqual(['1,000', '12,300', '–', '12,300', 'ok'])
  expect(rowOf(of(12_301))?.at(-1)).toBe('MISSED')
})

test('the picture has two bars a pair, of lengths by order of magnitude, and leaves out what nobody is compared with', () => {
  const named = (pair: string, way: DeltaRun['way'], received: number) => ({ ...run(1, way, received), pair })
  const picture = plotDeltas(
    [
      ...[named('<large>', 'murder', 1e6), named('<large>', 'rsync', 1e7)],
      ...[named('small', 'murder', 1e5), named('small', 'rsync', 1e5)],
      named('alone', 'murder', 1e5),
    ],
    1,
  )
  const bars = [...picture.matchAll(/<rect x="250" y="\d+" width="([\d.]+)" height="11"/g)].map(([, width]) =>
    Number(width),
  )
  const [unit = 0] = bars
  expect(bars.map((width) => Math.round(width / unit))).toEqual([1, 1, 2, 3])
  expect(picture).toContain('&lt;large&gt;')
  expect(picture).not.toContain('alone')
})
