import { expect, test } from 'vitest'
import { SubflowCount } from '../../../../../src/torrent/peers/subflows/subflow-count.ts'

interface Way {
  /** Bytes a second that the way carries, and that one connection carries. */
  way: number
  each: number
  roundTripS?: number
  isOfFew?: boolean
  sharers?: number
  /** Times at which nothing is asked for. */
  idle?: (nowS: number) => boolean
  /** From then on the way loses so much that one connection carries only this. */
  worse?: { atS: number; each: number }
}

/** The wanted connections every tenth of a second. New ones carry something a few round trips later. */
function run(o: Way, seconds: number): number[] {
  const { way, roundTripS = 0.1, isOfFew = true, idle = () => false, worse, sharers = 1 } = o
  const count = new SubflowCount()
  const wanted: number[] = [1]
  let bytes = 0
  for (let step = 0; step < seconds * 10; step++) {
    const nowS = step / 10
    const each = worse && nowS >= worse.atS ? worse.each : o.each
    const noise = 1 + 0.05 * Math.sin(step * 1.7)
    const carrying = Math.min(wanted.at(-1) as number, wanted.at(-1 - Math.ceil(roundTripS * 30)) ?? 1)
    if (!idle(nowS)) bytes += Math.min(way, each * carrying * noise) / 10
    wanted.push(count.update({ nowS, bytes, roundTripS, isHungry: !idle(nowS), isOfFew, sharers }))
  }
  return wanted
}

const mean = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0) / numbers.length

test.each([
  ['one connection fills the way', { way: 2.5e6, each: 5e6 }, 1, 2],
  ['two do', { way: 2.5e6, each: 1.3e6 }, 2, 4],
  ['six do', { way: 2.5e6, each: 0.42e6 }, 5, 9],
  ['fifteen do', { way: 2.5e6, each: 0.17e6 }, 12, 16],
  ['any number is too few', { way: 100e6, each: 0.17e6 }, 14, 16],
  ['any number is too few, in a large fleet', { way: 100e6, each: 0.17e6, isOfFew: false }, 14, 16],
  ['as many together as one would have', { way: 100e6, each: 0.17e6, isOfFew: false, sharers: 4 }, 3.5, 4],
  ['one of many neighbours fills the way', { way: 2.5e6, each: 5e6, isOfFew: false }, 1, 2],
] as [string, Way, number, number][])(
  'connections stay as long as they bring something: %s',
  (_, way, least, most) => {
    const late = run(way, 60).slice(300)
    expect(mean(late)).toBeGreaterThanOrEqual(least)
    expect(mean(late)).toBeLessThanOrEqual(most)
  },
)

test('a long lossy way has sixteen within two seconds', () => {
  expect(Math.max(...run({ way: 100e6, each: 0.17e6 }, 2))).toBe(16)
})

test('a way that becomes lossy gets more within a minute', () => {
  const wanted = run({ way: 2.5e6, each: 5e6, worse: { atS: 60, each: 0.2e6 } }, 180)
  expect(mean(wanted.slice(500, 600))).toBeLessThan(2)
  expect(mean(wanted.slice(1300))).toBeGreaterThan(10)
})

test('never in a LAN', () => {
  for (const roundTripS of [0, 0.01])
    expect(Math.max(...run({ way: 100e6, each: 1e6, roundTripS }, 20))).toBe(1)
})

test('a way that turns out to be short has one again, and so has one over which nothing is wanted', () => {
  const count = new SubflowCount()
  const facts = { bytes: 1, roundTripS: 0.1, isHungry: true, isOfFew: true, sharers: 1 }
  expect(count.update({ ...facts, nowS: 1 })).toBe(8)
  expect(count.update({ ...facts, nowS: 1.1, roundTripS: 0.001 })).toBe(1)
  expect(run({ way: 100e6, each: 0.17e6, idle: (nowS) => nowS >= 5 }, 12).at(-1)).toBe(1)
})
