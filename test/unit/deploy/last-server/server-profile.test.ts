import { describe, expect, test } from 'vitest'
import { ClockMap } from '../../../../src/deploy/last-server/clock-map.ts'
import { ServerProfile } from '../../../../src/deploy/last-server/server-profile.ts'
import type { AgentEvent } from '../../../../src/protocol/events.ts'
import { packPieces } from '../../../../src/protocol/packed-pieces.ts'

const frame = { beganS: 101, endedS: 103, every: 1, pieceCount: 2 }
const pieces = [
  { piece: 0, source: 'seeder', atS: 101.5 },
  { piece: 1, source: '10.0.0.2:1', atS: 103 },
]
const profile = {
  event: 'profile',
  began: 101,
  ended: 103,
  cpu: 1,
  queued: 0.5,
  disk: 0.2,
  stopped: 0,
  peakDown: 10,
  peakUp: 5,
  afterGap: 0.1,
  sentAgain: 0,
  arrived: 1_000_000,
  last: [1, '10.0.0.2:1', 103],
  pieceCount: 2,
  every: 1,
  pieces: packPieces(pieces, frame),
} as const
const names = new Map([
  ['seeder', 'seeder'],
  ['10.0.0.2:1', 'web2'],
])

/** What is known after these events, each `[when we hear it, what, when it was said]`. */
function factsOf(events: [number, AgentEvent, number][]) {
  let now = 0
  const told = new ServerProfile('web1', () => now)
  told.ordered()
  for (const [ours, event, theirs] of events) {
    now = ours
    told.heard({ ...event, at: theirs })
  }
  return told.facts((source) => names.get(source))
}

/** The clock of the server is 100 s ahead; each way takes 0.02 s or more. */
const whole: [number, AgentEvent, number][] = [
  [0.1, { event: 'progress', bytes: 0, total: 1, down: 0, up: 0, peers: 0 }, 100.05],
  [1.02, { event: 'listening', port: 1, pid: 1 }, 101],
  [3.1, profile as unknown as AgentEvent, 103],
  [
    3.1,
    { event: 'downloaded', bytes: 1, total: 1, seconds: 2, kept: 0, received: 9, fromSeeder: 1, sent: 0 },
    103,
  ],
  [3.2, { event: 'done' }, 103],
  [4, { event: 'spent', cpu: 1.5, queued: 0.5 }, 103.9],
  [4, { event: 'unpacked', files: 1, bytes: 1, seconds: 1 }, 103.9],
]

describe('what one server says of its transfer', () => {
  test('on our clock, with the error that the round trip leaves', () => {
    const facts = factsOf(whole)
    expect(facts).toMatchObject({ startedS: 1.02, completeS: 3.2, doneS: 4, received: 9 })
    expect(facts?.transfer).toMatchObject({
      cpuS: 1,
      queuedS: 0.5,
      diskS: 0.2,
      peakDown: 10,
      peakUp: 5,
      afterGap: 0.1,
    })
    expect(facts?.unpack).toEqual({ cpuS: 0.5, queuedS: 0 })
    expect(facts?.clockErrorS).toBeCloseTo(0.07)
    expect(facts?.lastPiece).toMatchObject({ piece: 1, source: 'web2', atS: expect.closeTo(3.02) })
    expect(facts?.pieces.map(({ source }) => source)).toEqual(['seeder', 'web2'])
    for (const [place, { atS }] of (facts?.pieces ?? []).entries()) {
      const right = [1.52, 3.02][place] ?? 0
      expect(Math.abs(atS - right)).toBeLessThanOrEqual((facts?.pieceErrorS ?? 0) + 1e-6)
    }
  })

  test('nobody waits longer for a CPU than the time that has passed', () => {
    const facts = factsOf(
      whole.map(([ours, event, at]) => {
        if (event === whole[2]?.[1]) return [ours, { ...event, queued: 50 } as AgentEvent, at]
        return [ours, event.event === 'spent' ? { ...event, queued: 90 } : event, at]
      }),
    )
    expect(facts?.transfer?.queuedS).toBeCloseTo(2.18)
    expect(facts?.unpack?.queuedS).toBeCloseTo(0.8)
  })

  test('nothing before it has the release', () => {
    expect(factsOf(whole.slice(0, 4))).toBeUndefined()
  })

  test.each<[string, Record<string, unknown>]>([
    ['negative seconds', { cpu: -1 }],
    ['no number', { disk: 'x' }],
    ['more than everything', { afterGap: 2 }],
    ['infinite', { peakDown: Number.POSITIVE_INFINITY }],
    ['missing', { queued: undefined }],
  ])('figures that were made up are no figures: %s', (_, wrong) => {
    const facts = factsOf(
      whole.map(([ours, event, at]) => [
        ours,
        (event === whole[2]?.[1] ? { ...profile, ...wrong } : event) as AgentEvent,
        at,
      ]),
    )
    expect(facts).toMatchObject({ doneS: 4 })
    expect(facts?.transfer).toBeUndefined()
  })

  test.each<[string, Record<string, unknown>]>([
    ['no packed text', { pieces: 7 }],
    ['noise', { pieces: 'AAAA' }],
    ['too many', { pieceCount: 5_000_000 }],
    ['a count that does not fit', { pieceCount: 3 }],
    ['no step', { every: 0 }],
    ['half a step', { every: 0.5 }],
    ['time that runs backwards', { began: 104 }],
  ])('pieces that were made up are no pieces: %s', (_, wrong) => {
    const facts = factsOf(
      whole.map(([ours, event, at]) => [
        ours,
        (event === whole[2]?.[1] ? { ...profile, ...wrong } : event) as AgentEvent,
        at,
      ]),
    )
    expect(facts?.pieces).toEqual([])
  })

  test('a last piece that is none', () => {
    for (const last of [[5, 'seeder', 1], [0, 3, 1], [0, 'seeder', 'x'], 'x', [0, 'stranger', 103], {}]) {
      const facts = factsOf(
        whole.map(([ours, event, at]) => [
          ours,
          (event === whole[2]?.[1] ? { ...profile, last } : event) as AgentEvent,
          at,
        ]),
      )
      expect(facts?.lastPiece).toBeUndefined()
    }
  })

  test('another process has another clock', () => {
    let now = 0
    const told = new ServerProfile('web1', () => now)
    told.ordered()
    told.heard({ event: 'listening', port: 1, pid: 1, at: 5 })
    now = 10
    told.ordered()
    for (const [ours, event, theirs] of whole) {
      now = 10 + ours
      told.heard({ ...event, at: theirs })
    }
    expect(told.facts((source) => names.get(source))?.lastPiece?.atS).toBeCloseTo(13.02)
  })
})

describe('a clock of another machine', () => {
  test('is known to the round trip, and better when something is heard sooner', () => {
    const clock = new ClockMap()
    expect(clock.isKnown).toBe(false)
    clock.answered(1, 51.5)
    clock.heard(2, 51.5)
    expect(clock.toOurs(60)).toBeCloseTo(10.5)
    expect(clock.errorS).toBeCloseTo(1)
    clock.heard(5, 54.9)
    expect(clock.toOurs(60)).toBeCloseTo(10.1)
    expect(clock.errorS).toBeCloseTo(0.6)
  })

  test('that contradicts itself is not known', () => {
    const clock = new ClockMap()
    clock.answered(10, 10)
    clock.heard(11, 20)
    expect(clock.isKnown).toBe(false)
  })
})
