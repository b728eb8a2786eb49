import { expect, test } from 'vitest'
import type { Share } from '../../../../src/config/kinds/rollout.ts'
import { mostFailures } from '../../../../src/deploy/outcome/tolerate.ts'

test.each<[Share, number, number]>([
  [0, 5, 0],
  [1, 5, 1],
  [9, 5, 4],
  [1, 1, 0],
  ['10%', 10, 1],
  ['10%', 19, 1],
  ['10%', 9, 0],
  ['33.4%', 3, 1],
  ['100%', 8, 7],
])('tolerate %j lets of %i servers at most %i fail', (tolerate, total, most) => {
  expect(mostFailures(tolerate, total)).toBe(most)
})
