import { expect, test } from 'vitest'
import {
  classify,
  parseHistory,
  publishedSince,
  releasesToClean,
  rollbackTargets,
  type ServerReleases,
  stagedReleases,
  supersededReleases,
} from '../../../../src/deploy/releases/history.ts'

/** `events`: `live 1, receiving 2`. All releases that it names are there, and the last one live is live. */
function server(events: string, more: Partial<ServerReleases> = {}): ServerReleases {
  const lines = events.split(', ').map((text) => `2026-01-02T03:04:05Z\t${text.replace(' ', '\t')}\tann@desk`)
  const history = parseHistory(lines)
  const live = history.findLast(({ event }) => event === 'live')?.release
  return { live, releases: [...new Set(history.map(({ release }) => release))], history, ...more }
}

test.each([
  [''],
  ['2026-01-02T03:04:05Z live 1 ann'],
  ['2026-01-02T03:04:05Z\tlive\t1'],
  ['2026-01-02T03:04:05Z\tlive\t\tann'],
  ['2026-01-02T03:04:05Z\tlive\t1\tann\tmore'],
  ['today\tlive\t1\tann'],
  ['2026-01-02T03:04:05Z\tconstructor\t1\tann'],
])('%j says nothing', (line) => {
  expect(parseHistory([line])).toEqual([])
})

test('a release of any name is only a name', () => {
  const odd = server('live __proto__, live constructor')
  expect(rollbackTargets(odd)).toEqual(['__proto__'])
})

test.each<[string, ServerReleases, string[]]>([
  ['what was live, the last first', server('live v1.9, live v1.10, live v1.9'), ['v1.10']],
  [
    'not what was never live',
    server('live 1, receiving 2, failed 3, brought 4, staged 5, found 6, live 7'),
    ['1'],
  ],
  ['not what was rolled back from', server('live 1, live 2, rolled-back-from 2, live 1, live 3'), ['1']],
  [
    'not what an older version, which notes nothing, has gone back from',
    server('live 1, was-live 1, live 2, was-live 1, live 3, rolled-back-from 3, live 1'),
    [],
  ],
  [
    'what was live before others have published something new',
    server('live 1, was-live 1, live 2, found 5, was-live 5, live 6'),
    ['5', '2', '1'],
  ],
  [
    'what is published again',
    server('live 1, live 2, rolled-back-from 2, live 1, live 2, live 3'),
    ['2', '1'],
  ],
  [
    'nothing later than a link that was changed by hand',
    server('live 1, live 2, live 3', { live: '2' }),
    ['1'],
  ],
  [
    'all before a link to what was never live',
    server('brought v1, live 2, live 3', { live: 'v1' }),
    ['3', '2'],
  ],
  [
    'all but the one that was left for a link to what was rolled back from',
    server('live 1, live 2, live 3, rolled-back-from 3, live 2, live 4', { live: '3' }),
    ['2', '1'],
  ],
  ['nothing that is gone', server('live 1, live 2, live 3', { releases: ['1', '3'] }), ['1']],
])('a rollback goes to %s', (_, found, targets) => {
  expect(rollbackTargets(found)).toEqual(targets)
})

const deploys = 'live 1, live 2, live 3, live 4'
test.each<[string, ServerReleases, number, string[]]>([
  ['as many as wanted stay', server(deploys), 2, ['1', '2']],
  ['the live one stays, too', server(deploys, { live: '1' }), 2, ['2']],
  ['brought and staged ones neither count nor go', server(`brought 5, ${deploys}, staged 6`), 3, ['1']],
  [
    'one that was rolled back from does not push out another',
    server('live 1, live 2, live 3, rolled-back-from 3, live 2'),
    2,
    [],
  ],
  [
    'many that were rolled back from do not fill the disk',
    server('live 1, live 2, rolled-back-from 2, live 1, live 3, rolled-back-from 3, live 1'),
    2,
    ['2'],
  ],
  [
    'foreign entries neither count nor go',
    server(deploys, { releases: ['1', '2', '3', '4', 'x.bak'] }),
    3,
    ['1'],
  ],
])('cleaning: %s', (_, found, keep, names) => {
  expect(releasesToClean(found, keep).sort()).toEqual(names)
})

test.each<[string, ServerReleases, string[]]>([
  ['stays while the others are older', server('live 1, live 2, receiving 3, staged 3'), []],
  ['stays while a deploy is about to publish', server('live 1, staged 3, receiving 4'), []],
  ['stays when that has failed', server('live 1, staged 3, receiving 4, failed 4'), []],
  [
    'stays when that was taken back',
    server('live 1, staged 3, receiving 4, was-live 1, live 4, reverted 4, live 1'),
    [],
  ],
  ['stays after a rollback', server('live 1, receiving 2, live 2, staged 3, rolled-back-from 2, live 1'), []],
  ['goes once a newer release is live', server('live 1, staged 3, receiving 4, live 4'), ['3']],
  [
    'goes also when that was rolled back',
    server('live 1, staged 3, receiving 4, live 4, rolled-back-from 4, live 1'),
    ['3'],
  ],
  ['goes when another one is staged', server('live 1, staged 3, receiving 4, staged 4'), ['3']],
])('a staged release %s', (_, found, names) => {
  expect(supersededReleases(found)).toEqual(names)
  expect(releasesToClean(found, 9)).toEqual(names)
  expect(rollbackTargets(found, { any: true })).not.toContain('3')
  expect(stagedReleases(found)).toContain('3')
})

test('without a history what is not named by a time is foreign', () => {
  const releases = ['20260101000000', 'initial', '2026', 'x.bak']
  const states = classify({ live: undefined, releases, history: [] }).map(({ name, state }) => [name, state])
  expect(Object.fromEntries(states)).toEqual({
    '20260101000000': 'was-live',
    initial: 'foreign',
    '2026': 'foreign',
    'x.bak': 'foreign',
  })
})

test.each<[string, ServerReleases[], string[]]>([
  ['nothing', [server('live 1, live 2'), server('live 1, receiving 2, failed 2')], []],
  ['a release on the same server', [server('live 2, receiving 3, live 3')], ['3']],
  [
    'a release on another server',
    [server('live 2, receiving 3'), server('live 1, receiving 3, live 3')],
    ['3'],
  ],
  ['a release that was gone back to', [server('live 1, live 2, rolled-back-from 2, live 1')], ['1']],
  ['no release that a server went back to', [server('live 1, was-live 1, live 2, reverted 2, live 1')], []],
  ['what was published after going back', [server('live 1, live 2, reverted 2, live 1, live 3')], ['3']],
  ['no release that nobody has published', [server('live 2, receiving 3, failed 3, brought 4')], []],
])('since 2 was published: %s', (_, servers, names) => {
  expect(publishedSince(servers, '2')).toEqual(names)
})
