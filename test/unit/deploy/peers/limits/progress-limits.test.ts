import { expect, test } from 'vitest'
import { ProgressLimits } from '../../../../../src/deploy/peers/limits/progress-limits.ts'
import type { AgentEvent } from '../../../../../src/protocol/events.ts'

const progress = (bytes: number): AgentEvent => ({
  ...{ event: 'progress', bytes, total: 100, down: 1, up: 1, peers: 1 },
})

function server({ stall = 20, total = 0, length = 100, pieceLength = 2, files = 0 } = {}) {
  const clock = { now: 1000 }
  const limits = new ProgressLimits({ stall, total }, { length, pieceLength, files }, () => clock.now)
  /** Says something every two seconds, for so long. */
  const talks = (seconds: number, event: (second: number) => AgentEvent) => {
    for (let second = 0; second < seconds; second += 2) {
      clock.now += 2
      limits.heard(event(second))
      if (limits.ranOut()) return second
    }
    return seconds
  }
  return { limits, talks }
}

test('a server that says the same again and again stalls, one that comes on does not', () => {
  const bad = server()
  expect(bad.talks(100, () => progress(10))).toBeLessThan(40)
  expect(bad.limits.ranOut()).toEqual({ why: 'stall', seconds: 35 })
  expect(server().talks(100, (second) => progress(second))).toBe(100)
})

test('bytes that shrink and grow again, or are more than there are, are no limits; nor is a step done twice', () => {
  expect(server().talks(100, (second) => progress(50 + (second % 4)))).toBeLessThan(50)
  expect(server().talks(100, (second) => progress(101 + second))).toBeLessThan(40)
  expect(server().talks(100, () => ({ event: 'done' }))).toBeLessThan(50)
})

test('a byte more each time is no progress, where bytes are verified by the piece', () => {
  const creeping = server({ length: 1000, pieceLength: 64 })
  expect(creeping.talks(100, (second) => progress(second))).toBeLessThan(40)
  const honest = server({ length: 1000, pieceLength: 64 })
  expect(honest.talks(300, (second) => progress(Math.floor(second / 20) * 64))).toBe(300)
  const last = server({ length: 70, pieceLength: 64 })
  last.talks(30, () => progress(64))
  expect(last.talks(20, () => progress(70))).toBe(20)
})

test('the limit of a transfer holds whatever is said, and ends with the transfer', () => {
  const slow = server({ total: 20 })
  slow.talks(100, (second) => progress(second))
  expect(slow.limits.ranOut()).toEqual({ why: 'total', seconds: 35 })
  const unpacking = server({ total: 20, stall: 0 })
  expect(unpacking.talks(100, () => ({ event: 'done' }))).toBe(100)
})

test('a large release leaves time to check and to unpack it', () => {
  expect(server({ length: 1e9 }).talks(120, () => progress(0))).toBe(120)
  expect(server({ files: 20_000 }).talks(120, () => progress(0))).toBe(120)
})

test('without a stall timeout there is no end to it', () => {
  expect(server({ stall: 0 }).talks(10_000, () => progress(0))).toBe(10_000)
})
