import { describe, expect, test } from 'vitest'
import { seeded } from '../../../../bench/simulate/random.ts'
import { simulate } from '../../../../bench/simulate/swarm.ts'
import { SuperSeeding } from '../../../../src/torrent/scheduler/super-seeding.ts'

const PIECE = 64 * 1024

function seederOf(pieces: number, ...peers: number[]): SuperSeeding {
  const copies = new SuperSeeding(pieces, () => PIECE)
  for (const peer of peers) copies.join(peer, 0)
  return copies
}

/** What the peers that are `alive` are shown from `from` to `until` (seconds): they take it at once, and say so. */
function spread(
  copies: SuperSeeding,
  { from = 0, until, step, alive = () => true }: Times & { alive?: (peer: number) => boolean },
): { peer: number; piece: number }[] {
  const taken: { peer: number; piece: number }[] = []
  for (let now = from; now < until && !copies.finished; now += step) {
    for (const { peer, piece } of copies.reveal(now)) {
      if (!alive(peer)) continue
      taken.push({ peer, piece })
      copies.sent(peer, piece, PIECE, now)
      copies.peerHas(peer, piece, now)
    }
  }
  return taken
}

interface Times {
  from?: number
  until: number
  step: number
}

const pieces = (shown: { piece: number }[]) => shown.map(({ piece }) => piece)

describe('what a seeder shows to whom', () => {
  test('shows every piece to one peer only, as long as all of them take what they get', () => {
    const copies = seederOf(100, 1, 2, 3)
    const shown = pieces(spread(copies, { until: 10, step: 0.01 }))
    expect(copies.finished).toBe(true)
    expect(shown.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })

  test('a piece whose only holder is gone is shown again', () => {
    const copies = seederOf(1, 1, 2)
    const [first] = copies.reveal(0)
    copies.peerHas(first?.peer ?? 0, 0, 0.1)
    expect(copies.finished).toBe(true)
    copies.leave(first?.peer ?? 0)
    expect(copies.finished).toBe(false)
    expect(copies.reveal(0.2)).toEqual([{ peer: first?.peer === 1 ? 2 : 1, piece: 0 }])
  })

  test('a piece that a dead peer does not take goes to another one', () => {
    const copies = seederOf(1, 1, 2)
    const [first] = copies.reveal(0)
    expect(copies.reveal(0.3)).toEqual([])
    expect(copies.reveal(1)).toEqual([{ peer: first?.peer === 1 ? 2 : 1, piece: 0 }])
  })

  test('what dead peers do not take goes to the others, each piece to one of them', () => {
    const copies = seederOf(8, 1, 2, 3, 4, 5, 6)
    const shown: number[] = []
    for (let now = 0; now < 5 && !copies.finished; now += 0.1) {
      const taken = copies.reveal(now).filter(({ peer }) => peer > 3)
      for (const { peer, piece } of taken) copies.peerHas(peer, piece, now + 0.05)
      shown.push(...taken.map(({ piece }) => piece))
    }
    expect(copies.finished).toBe(true)
    expect(shown.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('a stranger that takes pieces and never says that it has them gets all of them, after pauses too', () => {
    const copies = seederOf(20, 1)
    const shown = new Set<number>()
    for (let now = 0; now < 100; now += 5) {
      for (const { peer, piece } of copies.reveal(now)) {
        shown.add(piece)
        copies.sent(peer, piece, PIECE, now)
      }
    }
    expect(shown.size).toBe(20)
  })

  test('a client that asks once a second is shown as much as it takes, more each time', () => {
    const copies = seederOf(1000, 1)
    let seconds = 0
    for (; seconds < 30 && !copies.finished; seconds++) {
      const asked = copies.reveal(seconds)
      for (let more = asked; more.length > 0; asked.push(...more)) more = copies.reveal(seconds + 0.1)
      for (const { peer, piece } of asked) {
        copies.sent(peer, piece, PIECE, seconds + 0.9)
        copies.peerHas(peer, piece, seconds + 0.9)
      }
    }
    expect(seconds).toBeLessThan(20)
  })

  test('a stranger that takes nothing may want some files only: it is shown everything, and others get all as before', () => {
    const copies = new SuperSeeding(100, () => PIECE)
    copies.join(1, 0, { isAgent: false })
    const shown: number[] = []
    for (let now = 0; now < 6; now += 0.1) shown.push(...pieces(copies.reveal(now)))
    expect(shown.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
    copies.join(2, 6)
    const rest = pieces(spread(copies, { from: 6, until: 60, step: 0.05, alive: (peer) => peer === 2 }))
    expect(copies.finished).toBe(true)
    expect(rest.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })

  test('what such a stranger took is shown to others in the end', () => {
    const copies = seederOf(8, 1)
    for (let now = 0; now < 1; now += 0.1) {
      for (const { peer, piece } of copies.reveal(now)) copies.sent(peer, piece, PIECE, now)
    }
    copies.join(2, 1)
    const times = { from: 1, until: 10, step: 0.1 }
    const shown = new Set(pieces(spread(copies, { ...times, alive: (peer) => peer === 2 })))
    expect(shown.size).toBe(8)
    expect(copies.finished).toBe(true)
  })

  test('a peer on the same machine is served when there is no other', () => {
    const copies = seederOf(20)
    copies.join(1, 0, { sameMachine: true })
    const first = copies.reveal(0)
    expect(first.length).toBeGreaterThan(0)
    copies.join(2, 0)
    copies.join(3, 0)
    for (const { piece } of first) copies.peerHas(1, piece, 0)
    for (const { peer } of spread(copies, { until: 5, step: 0.01 })) expect(peer).not.toBe(1)
    expect(copies.finished).toBe(true)
  })

  test('a peer on the same machine does not wait for dead ones', () => {
    const copies = seederOf(20, 2)
    copies.join(1, 0, { sameMachine: true })
    const times = { until: 5, step: 0.1 }
    const shown = new Set(pieces(spread(copies, { ...times, alive: (peer) => peer === 1 })))
    expect(shown.size).toBe(20)
  })

  test('what a peer has already is not shown to it', () => {
    const copies = seederOf(2, 1)
    copies.peerHas(1, 0, 0)
    expect(copies.reveal(0).map(({ piece }) => piece)).toEqual([1])
    copies.peerHas(1, 1, 0)
    expect(copies.finished).toBe(true)
  })

  test('what one peer says to have goes to the others after all else, and not when a second one has it', () => {
    const copies = seederOf(4, 1, 2)
    for (const piece of [0, 1, 2]) copies.peerHas(1, piece, 0)
    copies.peerHas(2, 1, 0)
    expect(copies.finished).toBe(false)
    const shown = copies.reveal(0)
    expect(shown[0]?.piece).toBe(3)
    expect(shown.slice(1)).toEqual([
      { peer: 2, piece: 0 },
      { peer: 2, piece: 2 },
    ])
    copies.leave(2)
    expect(copies.reveal(0.1).filter(({ piece }) => piece !== 3)).toEqual([])
  })

  test('who claims to have everything, and has nothing, changes nothing for the others', () => {
    const copies = seederOf(100, 1, 2, 3, 4)
    for (let piece = 0; piece < 100; piece++) copies.peerHas(4, piece, 0)
    const shown = pieces(spread(copies, { until: 10, step: 0.01 }))
    expect(copies.finished).toBe(true)
    expect(shown.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })
})

/** The same code in simulated time: 50 Mbit/s links, no clock of this machine involved. */
describe('whole swarms', () => {
  const rate = 6_250_000
  const swarm = (servers: number, slow = 0) => {
    const random = seeded(7)
    const ideal = (400 * PIECE) / rate
    const result = simulate({
      ...{ servers, pieces: 400, pieceLength: PIECE, latency: 0.0002, random },
      rate: (server) => (server > 0 && server <= slow ? rate / 10 : rate),
    })
    return { ...result, ideal, total: 400 * PIECE }
  }

  test.each([1, 2, 8, 15])(
    '%i servers end near the physical limit, and the seeder sends each byte about once',
    (n) => {
      const { doneAt, ideal, seederSentFirst, twice, total, unfinished } = swarm(n)
      expect(unfinished).toBe(0)
      expect(Math.max(...doneAt.map((at) => at ?? Number.POSITIVE_INFINITY)) / ideal).toBeLessThan(1.1)
      expect(seederSentFirst / total).toBeLessThan(1.1)
      expect(twice / (total * n)).toBeLessThan(0.01)
    },
  )
})
