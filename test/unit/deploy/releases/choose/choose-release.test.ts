import { expect, test } from 'vitest'
import { liveRelease, releaseBefore } from '../../../../../src/deploy/releases/choose/choose-release.ts'
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
