import { expect, test } from 'vitest'
import { withLateAnswers } from '../../../../src/deploy/reach/late-answers.ts'
import type { Reached } from '../../../../src/protocol/reach.ts'

const words = new Map<string, readonly Reached[]>([
  ['a', ['reached', 'reached']],
  ['b', ['reached', 'mute']],
  ['c', ['silent', 'mute']],
])

test('where all handshakes have come to a busy machine, its answers were late', () => {
  expect([...withLateAnswers(words, { asked: 3, heard: 3, busyS: 1 }).values()]).toEqual([
    ['reached', 'reached'],
    ['reached', 'reached'],
    ['silent', 'reached'],
  ])
})

test.each([
  ['a handshake is missing', { asked: 3, heard: 2, busyS: 1 }],
  ['nothing was late here, so answers are dropped', { asked: 3, heard: 3, busyS: 0.05 }],
])('each server is believed where %s', (_, listened) => {
  expect(withLateAnswers(words, listened)).toEqual(words)
})
