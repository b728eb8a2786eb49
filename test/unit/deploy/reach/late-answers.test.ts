import { expect, test } from 'vitest'
import { withLateAnswers } from '../../../../src/deploy/reach/late-answers.ts'
import type { Reached } from '../../../../src/protocol/reach.ts'

const words = new Map<string, readonly Reached[]>([
  ['a', ['reached', 'reached']],
  ['b', ['reached', 'mute']],
  ['c', ['silent', 'mute']],
])

test('where all handshakes have come, nobody was dropped on the way', () => {
  expect([...withLateAnswers(words, { asked: 3, heard: 3 }).values()]).toEqual([
    ['reached', 'reached'],
    ['reached', 'reached'],
    ['silent', 'reached'],
  ])
})

test('where one is missing, each server is believed', () => {
  expect(withLateAnswers(words, { asked: 3, heard: 2 })).toEqual(words)
})
