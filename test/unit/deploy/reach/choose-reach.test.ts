import { expect, test } from 'vitest'
import { chooseReach, usualWords } from '../../../../src/deploy/reach/choose-reach.ts'
import { reachLine } from '../../../../src/deploy/reach/reach-line.ts'
import type { Reached } from '../../../../src/protocol/reach.ts'

const direct = { way: 'direct' } as const
const ssh = (why: string) => ({ way: 'ssh', why })

test.each<[boolean, Reached[] | undefined, 'auto' | 'direct' | 'ssh', object]>([
  [true, ['reached', 'reached'], 'auto', direct],
  [true, ['reached', 'silent'], 'auto', ssh('silent')],
  [true, ['refused', 'reached'], 'auto', ssh('refused')],
  [true, ['failed', 'failed'], 'auto', ssh('failed')],
  [true, ['reached', 'mute'], 'auto', ssh('mute')],
  [true, undefined, 'auto', direct], // too slow to answer
  [false, undefined, 'auto', ssh('unknown')],
  [true, ['silent', 'silent'], 'direct', direct],
  [false, undefined, 'direct', direct],
  [true, undefined, 'ssh', ssh('setting')],
])('address known: %s, tried: %s, reach: %s', (hasAddress, words, setting, way) => {
  expect(chooseReach({ hasAddress, words }, setting)).toEqual(way)
})

test('who did not answer goes as the others do where all of them are cut off, and directly otherwise', () => {
  expect(usualWords([['silent'], ['refused']])).toEqual(['silent'])
  expect(usualWords([['silent'], ['reached']])).toBeUndefined()
  expect(usualWords([])).toBeUndefined()
})

test('one line says how many go through SSH, and why', () => {
  expect(reachLine([direct, direct])).toBeUndefined()
  const silent = { way: 'ssh', why: 'silent' } as const
  expect(reachLine([silent, silent])).toBe(
    'All servers reach the deploy host through SSH: nothing answers there',
  )
  expect(reachLine([silent], 'a')).toBe('a reaches the deploy host through SSH: nothing answers there')
  expect(reachLine([direct, silent, { way: 'ssh', why: 'unknown' }])).toBe(
    '2 of 3 servers reach the deploy host through SSH: nothing answers there; its address is not known',
  )
})
