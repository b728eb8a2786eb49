import { describe, expect, test } from 'vitest'
import { seeded } from '../../../../../bench/simulate/random.ts'
import { type SwarmOptions, simulate } from '../../../../../bench/simulate/swarm.ts'
import { Scheduler } from '../../../../../src/torrent/scheduler/scheduler.ts'
import { SuperSeeding } from '../../../../../src/torrent/scheduler/super-seeding/super-seeding.ts'

const PIECE = 16 * 1024
const SEEDER = 's'

/**
 * A member of site `own` and its neighbours in a picture: the site, the name and `x` for each piece that it has. The one that is
 * named `s` is the seeder.
 */
function picture(own: string, name: string, ...lines: string[]): Scheduler {
  const rows = lines.map((line) => line.split(' ') as [string, string, string])
  const scheduler = new Scheduler({
    length: (rows[0]?.[2].length ?? 0) * PIECE,
    pieceLength: PIECE,
    random: () => 0,
    own: { site: own, key: name },
  })
  rows.forEach(([site, key, pieces], id) => {
    scheduler.join(id, PIECE, 0)
    scheduler.describe(id, { largestBlock: PIECE, isSeeder: key === SEEDER })
    scheduler.locate(id, { isNear: site === own, site, key })
    scheduler.unchoked(id)
    for (let piece = 0; piece < pieces.length; piece++)
      if (pieces[piece] === 'x') scheduler.peerHas(id, piece, 0)
  })
  return scheduler
}

/** What is asked of whom until nothing more is, as the neighbours' numbers at the pieces' places; each answers at once. */
function asked(scheduler: Scheduler, fromS: number, untilS = fromS): string {
  const from = Array.from({ length: scheduler.pieceCount }, () => '.')
  for (let nowS = fromS; nowS <= untilS + 1e-9; nowS += 0.1) {
    scheduler.tick(nowS)
    for (
      let requests = scheduler.nextRequests(nowS);
      requests.length > 0;
      requests = scheduler.nextRequests(nowS)
    )
      for (const request of requests) {
        from[request.piece] = String(request.peer)
        scheduler.arrived(request.peer, request, nowS)
        scheduler.checked(request.piece, true)
      }
  }
  return from.join('')
}

const count = (text: string, letter: string) => [...text].filter((each) => each === letter).length

describe('what a member of a site asks of others', () => {
  test('takes from its own site what is there', () => {
    const scheduler = picture('b', 'b1', 'b b2 xxxx....', 'a a1 xxxxxxxx')
    const picked = asked(scheduler, 0)
    expect(picked.slice(0, 4)).toBe('0000')
    expect(picked.slice(4)).not.toContain('0')
  })

  test('two members take the pieces of another site between them, each piece once', () => {
    const one = asked(picture('b', 'b1', 'b b2 ........', 'a a1 xxxxxxxx'), 0)
    const other = asked(picture('b', 'b2', 'b b1 ........', 'a a1 xxxxxxxx'), 0)
    for (let piece = 0; piece < 8; piece++) expect([one[piece], other[piece]].sort()).toEqual(['.', '1'])
  })

  test('a quick one takes what a slow one has not begun, after a moment, and leaves what that says it fetches', () => {
    const scheduler = picture('b', 'b1', 'b b2 ........', 'a a1 xxxxxxxx')
    const left = [...asked(scheduler, 0)].flatMap((from, piece) => (from === '.' ? piece : []))
    const [claimed = 0, ...others] = left
    scheduler.peerImports(0, claimed, 0)
    expect([...asked(scheduler, 0.1, 0.5)].flatMap((from, piece) => (from === '1' ? piece : []))).toEqual(
      others,
    )
  })

  test('what a member says that it fetches and does not bring is fetched within two seconds', () => {
    const scheduler = picture('b', 'b1', 'b b2 ....', 'a a1 xxxx')
    for (let piece = 0; piece < 4; piece++) scheduler.peerImports(0, piece, 0)
    expect(count(asked(scheduler, 0.1, 1.8), '1')).toBe(0)
    expect(count(asked(scheduler, 1.9, 2.3), '1')).toBe(4)
  })

  test('a word counts once: who claims again and again holds up nobody', () => {
    const scheduler = picture('b', 'b1', 'b b2 ....', 'a a1 xxxx')
    for (let nowS = 0; nowS < 2; nowS += 0.1) {
      for (let piece = 0; piece < 4; piece++) scheduler.peerImports(0, piece, nowS)
      scheduler.tick(nowS)
    }
    expect(count(asked(scheduler, 2.1, 2.4), '1')).toBe(4)
  })

  test('two that are free to take what a third leaves tell each other first, and fetch nothing twice', () => {
    const members = ['b1', 'b2'].map((own) => {
      const others = ['b1', 'b2', 'b3'].filter((name) => name !== own)
      return picture('b', own, ...others.map((name) => `b ${name} ................`), 'a a1 xxxxxxxxxxxxxxxx')
    }) as [Scheduler, Scheduler]
    const fromFar: number[] = []
    for (let nowS = 0; nowS < 3; nowS += 0.1) {
      for (const member of members) member.tick(nowS)
      const asked = members.map((member) => member.nextRequests(nowS))
      const told = members.map((member) => member.takeImports())
      members.forEach((member, at) => {
        for (const piece of told[1 - at] ?? []) member.peerImports(0, piece, nowS)
        for (const block of asked[at] ?? []) {
          member.arrived(block.peer, block, nowS)
          member.checked(block.piece, true)
          members[1 - at]?.peerHas(0, block.piece, nowS)
          if (block.peer === 2) fromFar.push(block.piece)
        }
      })
    }
    expect(fromFar.sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, piece) => piece))
  })

  test('who joins is told what is fetched or reserved', () => {
    const scheduler = picture('b', 'b1', 'b b2 ........', 'a a1 xxxxxxxx')
    const own = scheduler.nextRequests(0).map(({ piece }) => piece)
    expect(scheduler.importsUnderWay).toEqual(own)
    for (const nowS of [0.1, 0.2, 0.3, 0.4]) {
      scheduler.tick(nowS)
      scheduler.nextRequests(nowS)
    }
    expect(scheduler.importsUnderWay.length).toBeGreaterThanOrEqual(own.length)
    expect(scheduler.importsUnderWay).toEqual(expect.arrayContaining([...scheduler.takeImports()]))
  })

  test('beside the seeder a late block is not asked for across the long link either', () => {
    const scheduler = picture('a', 'a1', 'a s x', 'b b1 x')
    expect(scheduler.nextRequests(0).map(({ peer }) => peer)).toEqual([0])
    expect(scheduler.nextRequests(1.5)).toEqual([])
  })

  test.each([
    // own site, the other member, the seeder's site, another one; a mesh, and a larger swarm
    ['what comes from the own site alone', 'a', '.', 'x', '.', true, true],
    ['what another member has told already', 'a', 'x', 'x', '.', false, true],
    ['what no other site has', 'b', '.', 'x', '.', true, true],
    ['what another site passes on', 'b', '.', 'x', 'x', false, false],
  ])('who hears at once of a piece: %s', (_, own, member, source, other, inMesh, inLarge) => {
    const isNews = (swarm: number) => {
      // The second piece is not in the share of site b.
      const lines = [`${own} m ..${member}`, `a s ..${source}`, `c c1 ..${other}`]
      const scheduler = picture(own, 'own', ...lines)
      scheduler.setSwarmSize(swarm)
      scheduler.tick(0)
      return scheduler.isNewsElsewhere(2)
    }
    expect([isNews(4), isNews(400)]).toEqual([inMesh, inLarge])
  })

  test('when the member that a piece was left to is gone, others fetch it at once', () => {
    const scheduler = picture('b', 'b1', 'b b2 ....', 'a a1 xxxx')
    for (let piece = 0; piece < 4; piece++) scheduler.peerImports(0, piece, 0)
    scheduler.leave(0)
    expect(count(asked(scheduler, 0.1), '1')).toBe(4)
  })

  test('beside the seeder nothing is fetched from far away', () => {
    expect(asked(picture('a', 'a1', 'a s ........', 'b b1 xxxxxxxx'), 0, 1)).toBe('........')
  })

  test('what a seeder shows to one far away, that one fetches', () => {
    expect(asked(picture('b', 'b1', 'b b2 ........', 'a s x.x.....'), 0)).toBe('1.1.....')
  })

  test('of the pieces at the seeder’s site each of two others takes its share, and the rest from the other', () => {
    const one = asked(picture('b', 'b1', 'a a1 xxxxxxxx', 'a s xxxxxxxx', 'c c1 ........'), 0, 0.4)
    const other = asked(picture('c', 'c1', 'a a1 xxxxxxxx', 'a s xxxxxxxx', 'b b1 ........'), 0, 0.4)
    for (let piece = 0; piece < 8; piece++) expect(one[piece] === '.').not.toBe(other[piece] === '.')
    const rest = picture('b', 'b1', 'a a1 xxxxxxxx', 'a s xxxxxxxx', 'c c1 xxxxxxxx')
    expect(asked(rest, 0, 0.4)).toBe('22222222')
  })

  test('everybody is asked for everything when nothing comes', () => {
    const scheduler = picture('a', 'a1', 'a s ........', 'b b1 xxxxxxxx')
    expect(asked(scheduler, 0, 1.9)).toBe('........')
    expect(asked(scheduler, 2, 3)).toBe('11111111')
  })
})

test('a super-seeder shows pieces to its own site as long as anybody there takes them', () => {
  const superSeeding = new SuperSeeding(100, () => PIECE)
  for (const peer of [1, 2, 3]) superSeeding.join(peer, 0)
  for (const peer of [2, 3]) superSeeding.locate(peer, false)
  expect(new Set(superSeeding.reveal(0).map(({ peer }) => peer))).toEqual(new Set([1]))
  superSeeding.leave(1)
  expect(new Set(superSeeding.reveal(0.1).map(({ peer }) => peer))).toEqual(new Set([2, 3]))
})

describe('simulated sites', () => {
  const run = (servers: number[], more: Partial<SwarmOptions> = {}, named = true) => {
    const random = seeded(1)
    const size = 200 * 64 * 1024
    const result = simulate({
      servers: servers.reduce((sum, one) => sum + one, 0),
      pieces: 200,
      pieceLength: 64 * 1024,
      rate: () => 12.5e6,
      latency: 0.0002,
      startAt: () => random() * 0.2,
      random,
      sites: { servers, rate: 2.5e6, latency: 0.025, loss: 0, named },
      ...more,
    })
    const last = Math.max(...result.doneAt.map((time) => time ?? 0)) / (size / 2.5e6)
    const into = result.sites.slice(1).map((site) => site.into / size)
    return {
      last,
      into: Math.max(...into),
      out: (result.sites[0]?.out ?? 0) / size,
      unfinished: result.unfinished,
    }
  }

  test.each<[string, number[], boolean]>([
    ['two, named', [4, 4], true],
    ['two, found', [4, 4], false],
    ['three, named', [2, 4, 4], true],
    ['a seeder far from all', [0, 4, 4], true],
    ['one server alone', [3, 1], true],
  ])('each piece crosses into each once, and out of the first one once: %s', (_, servers, named) => {
    const { last, into, out, unfinished } = run(servers, {}, named)
    expect(unfinished).toBe(0)
    expect(into).toBeLessThan(1.06)
    expect(out).toBeLessThan(1.15)
    expect(last).toBeLessThan(1.25)
  })

  test('in a larger swarm only those that lead a site are connected to others, and pieces cross hardly more often', () => {
    const { last, into, out, unfinished } = run([2, 20, 20])
    expect(unfinished).toBe(0)
    expect(into).toBeLessThan(1.15)
    expect(out).toBeLessThan(1.15)
    expect(last).toBeLessThan(1.35)
  })

  test('when members that import die, the others go on', () => {
    const { last, into, unfinished } = run([4, 4], {
      deaths: new Map([
        [5, 2],
        [6, 4],
      ]),
    })
    expect(unfinished).toBe(0)
    expect(into).toBeLessThan(1.15)
    expect(last).toBeLessThan(1.6)
  })
})
