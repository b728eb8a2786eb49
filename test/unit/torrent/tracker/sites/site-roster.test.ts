import { expect, test } from 'vitest'
import { isRank, SiteRoster } from '../../../../../src/torrent/tracker/sites/site-roster.ts'

/** So many peers of each site come, by turns, and are told twice. By peer, such as `a0`, what each was told last. */
function told(sites: string, each: number) {
  const roster = new SiteRoster<string>()
  const peers = Array.from({ length: each }, (_, at) => [...sites].map((site) => `${site}${at}`)).flat()
  const come = () => new Map(peers.map((peer) => [peer, roster.came(peer, peer[0] ?? '', false)]))
  come()
  return { roster, guidance: come() }
}

test('the first ten of a site lead it, and all others of it are told to connect to these', () => {
  const { guidance } = told('abc', 30)
  for (const [peer, { rank, partners = [] } = { rank: undefined }] of guidance) {
    const number = Number(peer.slice(1))
    expect(rank).toBe(number < 10 ? number : undefined)
    const own = partners.filter((partner) => partner[0] === peer[0])
    expect(own).toEqual(
      Array.from({ length: 10 }, (_, at) => `${peer[0]}${at}`).filter((leader) => leader !== peer),
    )
    if (rank === undefined) expect(partners).toEqual(own)
  }
})

test('each leader has some leaders of every other site, and both of the two are told', () => {
  for (const [sites, each] of [
    ['abc', 30],
    ['ab', 3],
    ['abcd', 1],
  ] as const) {
    const { guidance } = told(sites, each)
    for (const [peer, { rank, partners = [] } = { rank: undefined }] of guidance) {
      if (rank === undefined) continue
      for (const site of [...sites].filter((other) => other !== peer[0])) {
        const there = partners.filter((partner) => partner[0] === site)
        expect(there.length).toBeGreaterThanOrEqual(1)
        expect(there.length).toBeLessThanOrEqual(4)
        for (const partner of there) expect(guidance.get(partner)?.partners).toContain(peer)
      }
    }
  }
})

test('who comes next takes the place of a leader that has left', () => {
  const { roster } = told('a', 12)
  roster.left('a3')
  expect(roster.came('a11', 'a', false)).toMatchObject({ rank: 3 })
  expect(roster.came('a10', 'a', false)?.rank).toBeUndefined()
  expect(roster.siteOf('a3')).toBeUndefined()
})

test('who needs nothing does not lead, and who moves leads at its new place only', () => {
  const roster = new SiteRoster<string>()
  expect(roster.came('seeder', 'a', true)?.rank).toBeUndefined()
  expect(roster.came('peer', 'a', false)?.rank).toBe(0)
  expect(roster.came('peer', 'b', false)).toEqual({ rank: 0, partners: [] })
  expect(roster.came('other', 'a', false)?.rank).toBe(0)
})

test('neither long names nor any number of sites fill the memory', () => {
  const roster = new SiteRoster<string>()
  expect(roster.came('peer', 'x'.repeat(65), false)).toBeUndefined()
  const answers = Array.from({ length: 300 }, (_, at) => roster.came(`peer${at}`, `site${at}`, false))
  expect(answers.filter((answer) => answer !== undefined)).toHaveLength(256)
})

test.each([
  [0, true],
  [9, true],
  [10, false],
  [-1, false],
  [1.5, false],
  ['1', false],
  [undefined, false],
])('a rank: %s %s', (value, expected) => {
  expect(isRank(value)).toBe(expected)
})
