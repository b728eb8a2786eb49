import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CrossingDials } from '../../../../../src/torrent/peers/dialing/crossing-dials.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Whether a peer at 10.0.0.2 that has dialed us is answered at once, and after what happens then. */
function answered(dialed: string[], then: (dials: CrossingDials) => void): boolean[] {
  const dials = new CrossingDials()
  for (const address of dialed) dials.begin(address)
  let count = 0
  dials.wait('10.0.0.2', () => count++)
  const before = count
  then(dials)
  vi.advanceTimersByTime(400)
  expect(count).toBeLessThan(2)
  return [before === 1, count === 1]
}

test.each<[string, string[], (dials: CrossingDials) => void, boolean[]]>([
  ['nobody is dialed', [], () => {}, [true, true]],
  ['another host is dialed', ['10.0.0.3:1'], () => {}, [true, true]],
  ['it is dialed', ['10.0.0.2:1'], () => {}, [false, false]],
  ['it was dialed, and that has ended', ['10.0.0.2:1'], (dials) => dials.end('10.0.0.2:1'), [false, true]],
  [
    'one of two dials has ended',
    ['10.0.0.2:1', '10.0.0.2:2'],
    (dials) => dials.end('10.0.0.2:2'),
    [false, false],
  ],
  ['it does not answer for long', ['10.0.0.2:1'], () => vi.advanceTimersByTime(500), [false, true]],
])('who calls while we call is answered afterwards: %s', (_, dialed, then, expected) => {
  expect(answered(dialed, then)).toEqual(expected)
})
