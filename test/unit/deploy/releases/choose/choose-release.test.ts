import { expect, test } from 'vitest'
import {
  liveRelease,
  releaseBefore,
  releaseBeforeBegun,
} from '../../../../../src/deploy/releases/choose/choose-release.ts'
import { type HistoryEvent, parseHistory } from '../../../../../src/deploy/releases/history.ts'
import type { Server } from '../../../../../src/fleet/ssh/server.ts'

/** Without a history, releases count that are named by a time. */
const named = (day: string) => `2026010${day}000000`

const fleet = (...servers: [live: string | undefined, ...releases: string[]][]) =>
  new Map(
    servers.map(([live, ...releases], index) => [
      { label: String(index) } as Server,
      { live: live && named(live), releases: releases.map(named).sort().reverse(), history: [] },
    ]),
  )

test('most servers decide what is live', () => {
  expect(liveRelease(fleet(['2', '1', '2'], ['2', '1', '2'], ['1', '1']))).toBe(named('2'))
  expect(liveRelease(fleet([undefined], [undefined], ['3', '3']))).toBe(named('3'))
  expect(liveRelease(fleet([undefined]))).toBeUndefined()
})

test.each([
  ['all alike', fleet(['3', '1', '2', '3'], ['3', '1', '2', '3']), '2'],
  ['one is new', fleet(['3', '1', '2', '3'], ['3', '2', '3'], ['3', '3']), '2'],
  ['one missed the last deploy', fleet(['3', '1', '2', '3'], ['3', '2', '3'], ['2', '1', '2']), '2'],
  ['one has a release that the others lack', fleet(['4', '2', '4'], ['4', '2', '4'], ['4', '3', '4']), '2'],
  ['no two have the same', fleet(['4', '1', '4'], ['4', '2', '4'], ['4', '4']), '2'],
])('the release to go back to: %s', (_, servers, before) => {
  expect(releaseBefore(servers).before).toBe(named(before))
})

test.each([
  ['it has reached few', fleet(['3', '1', '2', '3'], ['2', '1', '2', '3'], ['2', '2', '3']), '2'],
  ['nobody has it any more', fleet(['2', '2', '3'], ['2', '2', '3']), undefined],
  ['what was before is gone', fleet(['3', '3'], ['4', '4']), undefined],
])('a rollout that is not done is taken back: %s', (_, servers, before) => {
  const found = releaseBeforeBegun(servers, { release: named('3'), before: [named('2')] })
  expect(found).toEqual(before && { live: named('3'), before: named(before) })
})

test('a rollout that is not done is not taken back where another release was published since', () => {
  const history = parseHistory(
    ['live\tv2', 'receiving\tv3', 'live\tv3'].map((text) => `2026-01-02T03:04:05Z\t${text}\tann`),
  )
  const servers = new Map([
    [{ label: 'a' } as Server, { live: 'v3', releases: ['v1', 'v2', 'v3'], history }],
    [{ label: 'b' } as Server, { live: 'v2', releases: ['v1', 'v2'], history: [] }],
  ])
  expect(releaseBeforeBegun(servers, { release: 'v2', before: ['v1'] })).toBeUndefined()
})

test('there may be nothing to go back to', () => {
  expect(() => releaseBefore(fleet(['1', '1', '2']))).toThrow('Cannot rollback, release not found')
  expect(() => releaseBefore(fleet([undefined, '1']))).toThrow('Cannot find current release dirname')
})

test('no server goes back to what was rolled back from on another one, unless any will do', () => {
  const left = (event: HistoryEvent) => ({
    live: 'v1',
    releases: ['v1', 'v2'],
    history: parseHistory(
      ['live\tv2', `${event}\tv2`, 'live\tv1'].map((text) => `2026-01-02T03:04:05Z\t${text}\tann`),
    ),
  })
  const servers = new Map([
    [{ label: 'a' } as Server, left('rolled-back-from')],
    [{ label: 'b' } as Server, left('was-live')],
  ])
  expect(() => releaseBefore(servers)).toThrow('none was live before v1')
  expect(releaseBefore(servers, { any: true }).before).toBe('v2')
})
