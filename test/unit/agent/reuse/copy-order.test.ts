import { expect, test } from 'vitest'
import { copyOrder } from '../../../../src/agent/reuse/copy-order.ts'
import { fuzz } from '../../../support/fuzz.ts'

const orderOf = (reads: Record<number, number[]>) => [
  ...copyOrder(new Map(Object.entries(reads).map(([piece, read]) => [Number(piece), new Set(read)]))),
]

test('what moves towards the end is written from the end on, and the reverse', () => {
  const pieces = (reads: Record<number, number[]>) => orderOf(reads).map(({ piece }) => piece)
  expect(pieces({ 1: [0], 2: [1], 3: [2] })).toEqual([3, 2, 1])
  expect(pieces({ 0: [1], 1: [2], 2: [3] })).toEqual([0, 1, 2])
})

test('what is read in a circle is kept for those that come later', () => {
  const steps = orderOf({ 0: [1], 1: [0] })
  expect(steps).toEqual([
    { piece: 0, isNeeded: true },
    { piece: 1, isNeeded: false },
  ])
})

test('each piece comes once, and none that others need comes unsaid', () =>
  fuzz(200, (next) => {
    const count = 1 + next(12)
    const reads: Record<number, number[]> = {}
    for (let piece = 0; piece < count; piece++)
      reads[piece] = Array.from({ length: next(4) }, () => next(count + 2)).filter((read) => read !== piece)
    const steps = orderOf(reads)
    expect(steps.map(({ piece }) => piece).sort((a, b) => a - b)).toEqual(Object.keys(reads).map(Number))
    for (const [at, { piece, isNeeded }] of steps.entries()) {
      const later = steps.slice(at + 1).some((step) => reads[step.piece]?.includes(piece))
      expect(isNeeded || !later).toBe(true)
    }
  }))
