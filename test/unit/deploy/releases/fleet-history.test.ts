import { expect, test } from 'vitest'
import { fleetEvents, liveReleases } from '../../../../src/deploy/releases/fleet-history.ts'
import type { HistoryEntry, HistoryEvent } from '../../../../src/deploy/releases/history.ts'

const [one, two] = ['20260101000000', '20260102000000']
const at = (second: number, event: HistoryEvent, release: string, who = 'ann@desk'): HistoryEntry => ({
  when: `2026-01-03T00:00:0${second}.000Z`,
  event,
  release,
  who,
})

const fleet = new Map([
  [
    'a',
    {
      live: two,
      releases: [two, one],
      history: [at(1, 'live', one), at(2, 'was-live', one), at(3, 'live', two)],
    },
  ],
  ['b', { live: two, releases: [two], history: [at(1, 'live', one), at(3, 'live', two)] }],
  [
    'c',
    {
      live: one,
      releases: [one],
      history: [at(1, 'live', one), at(1, 'live', one), at(2, 'live', one, 'bob@desk')],
    },
  ],
  ['new', { live: undefined, releases: [], history: [] }],
])

test('what is live where, since when and by whom, and who differs', () => {
  expect(liveReleases(fleet)).toMatchObject([
    { server: 'a', live: two, since: '2026-01-03T00:00:03.000Z', who: 'ann@desk', differs: false },
    { server: 'b', live: two, differs: false },
    { server: 'c', live: one, since: '2026-01-03T00:00:02.000Z', who: 'bob@desk', differs: true },
    { server: 'new', live: null, since: null, who: null, differs: true },
  ])
  expect(liveReleases(fleet)[0]?.releases).toEqual([
    { name: two, state: 'live' },
    { name: one, state: 'was-live' },
  ])
})

test('nobody knows since when a link is that was changed by hand', () => {
  const history = [at(1, 'live', one), at(2, 'was-live', one), at(2, 'live', two)]
  const byHand = new Map([['a', { live: one, releases: [two, one], history }]])
  expect(liveReleases(byHand)).toMatchObject([{ live: one, since: null, who: null }])
})

test('what one command did on several servers is one event', () => {
  const events = fleetEvents(fleet).map(({ when, event, release, servers }) => [
    when.slice(18, 19),
    event,
    release === one ? 'one' : 'two',
    servers.join(' '),
  ])
  expect(events).toEqual([
    ['1', 'live', 'one', 'a b c'],
    ['2', 'was-live', 'one', 'a'],
    ['2', 'live', 'one', 'c'],
    ['3', 'live', 'two', 'a b'],
  ])
})
