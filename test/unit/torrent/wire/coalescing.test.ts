import { expect, test } from 'vitest'
import { Flow, flushAfterTurn, restFor } from '../../../../src/torrent/wire/coalescing.ts'

/** Turns of 1 ms that move so many bytes each; whether the last one was slow. */
function after(flow: Flow, from: number, turns: number, bytes: number): boolean {
  let slow = true
  for (let at = 1; at <= turns; at++) slow = flow.isSlow(from + at, bytes)
  return slow
}

test('a flow is slow at first, and on a link of 50 Mbit/s that is full both ways', () => {
  expect(after(new Flow(0), 0, 200, 12_500)).toBe(true)
})

test('a flow is not slow at 1 Gbit/s, and slow again when little comes', () => {
  const flow = new Flow(0)
  expect(after(flow, 0, 100, 125_000)).toBe(false)
  expect(after(flow, 100, 100, 1000)).toBe(true)
})

test('a rest is a small part of the time that requests are made ahead, and 10 ms where that is short', () => {
  expect([150, 75, 5].map(restFor)).toEqual([20, 10, 10])
})

test('what the end of a turn leads to is done in the same turn', async () => {
  const done: string[] = []
  const answer = { flush: () => done.push('answer') }
  const question = {
    flush() {
      flushAfterTurn(answer)
      return done.push('question')
    },
  }
  flushAfterTurn(question)
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toEqual(['question', 'answer'])
})
