import { describe, expect, test } from 'vitest'
import { seeded } from '../../../../../bench/simulate/random.ts'
import { simulate } from '../../../../../bench/simulate/swarm.ts'
import { SuperSeeding } from '../../../../../src/torrent/scheduler/super-seeding/super-seeding.ts'

const PIECE = 64 * 1024

function seederOf(pieces: number, ...peers: number[]): SuperSeeding {
  const superSeeding = new SuperSeeding(pieces, () => PIECE)
  for (const peer of peers) superSeeding.join(peer, 0)
  return superSeeding
}

/** What the peers that are `alive` are shown from `from` to `until` (seconds): they take it at once, and say so. */
function spread(
  superSeeding: SuperSeeding,
  { from = 0, until, step, alive = () => true }: Times & { alive?: (peer: number) => boolean },
): { peer: number; piece: number }[] {
  const taken: { peer: number; piece: number }[] = []
  for (let now = from; now < until && !superSeeding.finished; now += step) {
    for (const { peer, piece } of superSeeding.reveal(now)) {
      if (!alive(peer)) continue
      taken.push({ peer, piece })
      superSeeding.sent(peer, piece, PIECE, now)
      superSeeding.peerHas(peer, piece, now)
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

/** As many as are no mesh. */
const CROWD = Array.from({ length: 60 }, (_, at) => at + 1)

/** Whatever they are shown shares an uplink of 64 KiB in 10 ms. Returns what they are shown, and the most pieces at a time. */
function shareUplink(pieceCount: number, pieceLength: number): { shown: number[]; most: number } {
  const superSeeding = new SuperSeeding(pieceCount, () => pieceLength)
  for (const peer of CROWD) superSeeding.join(peer, 0)
  const shown: number[] = []
  let flows: { peer: number; piece: number; left: number }[] = []
  let most = 0
  for (let now = 0; now < 60 && !superSeeding.finished; now += 0.01) {
    for (const { peer, piece } of superSeeding.reveal(now)) {
      shown.push(piece)
      flows.push({ peer, piece, left: pieceLength })
    }
    most = Math.max(most, flows.length)
    const part = Math.ceil(PIECE / flows.length)
    for (const flow of flows) {
      superSeeding.sent(flow.peer, flow.piece, part, now)
      flow.left -= part
      if (flow.left <= 0) superSeeding.peerHas(flow.peer, flow.piece, now)
    }
    flows = flows.filter(({ left }) => left > 0)
  }
  return { shown, most }
}

describe('a super-seeder of a swarm that is no mesh', () => {
  test('has few pieces under way, so that each is soon passed on', () => {
    expect(shareUplink(100, PIECE).most).toBeLessThanOrEqual(CROWD.length / 2)
  })

  test('shows no piece twice at the end because all that are under way are slow together', () => {
    const { shown } = shareUplink(100, PIECE)
    expect(shown.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })

  test('keeps more under way where peers take longer to ask', () => {
    const REACTION_S = 0.2
    const superSeeding = seederOf(200, ...CROWD)
    const asked: { peer: number; piece: number; atS: number }[] = []
    let freeAtS = 0
    let most = 0
    for (let now = 0; now < 4 && !superSeeding.finished; now += 0.01) {
      for (const { peer, piece } of superSeeding.reveal(now)) {
        freeAtS = Math.max(freeAtS, now + REACTION_S) + 0.01
        asked.push({ peer, piece, atS: freeAtS })
      }
      most = Math.max(most, asked.length)
      while (asked[0] && asked[0].atS <= now) {
        const { peer, piece } = asked.shift() as (typeof asked)[0]
        superSeeding.sent(peer, piece, PIECE, now)
        superSeeding.peerHas(peer, piece, now)
      }
    }
    expect(most).toBeGreaterThan(10)
    expect(superSeeding.finished).toBe(true)
  })
})

describe('a super-seeder', () => {
  test('shows every piece to one peer only, as long as all take what they are shown', () => {
    const superSeeding = seederOf(100, 1, 2, 3)
    const shown = pieces(spread(superSeeding, { until: 10, step: 0.01 }))
    expect(superSeeding.finished).toBe(true)
    expect(shown.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })

  test('a piece whose only holder is gone is shown again', () => {
    const superSeeding = seederOf(1, 1, 2)
    const [first] = superSeeding.reveal(0)
    superSeeding.peerHas(first?.peer ?? 0, 0, 0.1)
    expect(superSeeding.finished).toBe(true)
    superSeeding.leave(first?.peer ?? 0)
    expect(superSeeding.finished).toBe(false)
    expect(superSeeding.reveal(0.2)).toEqual([{ peer: first?.peer === 1 ? 2 : 1, piece: 0 }])
  })

  test('a piece that a dead peer does not take goes to another one', () => {
    const superSeeding = seederOf(1, 1, 2)
    const [first] = superSeeding.reveal(0)
    expect(superSeeding.reveal(0.3)).toEqual([])
    expect(superSeeding.reveal(1)).toEqual([{ peer: first?.peer === 1 ? 2 : 1, piece: 0 }])
  })

  test('pieces of dead peers are shown to the others, each piece to one of them', () => {
    const superSeeding = seederOf(8, 1, 2, 3, 4, 5, 6)
    const shown: number[] = []
    for (let now = 0; now < 5 && !superSeeding.finished; now += 0.1) {
      const taken = superSeeding.reveal(now).filter(({ peer }) => peer > 3)
      for (const { peer, piece } of taken) superSeeding.peerHas(peer, piece, now + 0.05)
      shown.push(...taken.map(({ piece }) => piece))
    }
    expect(superSeeding.finished).toBe(true)
    expect(shown.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('another client that takes pieces and sends no HAVE gets all of them, after pauses too', () => {
    const superSeeding = seederOf(20, 1)
    const shown = new Set<number>()
    for (let now = 0; now < 100; now += 5) {
      for (const { peer, piece } of superSeeding.reveal(now)) {
        shown.add(piece)
        superSeeding.sent(peer, piece, PIECE, now)
      }
    }
    expect(shown.size).toBe(20)
  })

  test('a client that asks once a second is shown as much as it takes, more each time', () => {
    const superSeeding = seederOf(1000, 1)
    let seconds = 0
    for (; seconds < 30 && !superSeeding.finished; seconds++) {
      const asked = superSeeding.reveal(seconds)
      for (let more = asked; more.length > 0; asked.push(...more)) more = superSeeding.reveal(seconds + 0.1)
      for (const { peer, piece } of asked) {
        superSeeding.sent(peer, piece, PIECE, seconds + 0.9)
        superSeeding.peerHas(peer, piece, seconds + 0.9)
      }
    }
    expect(seconds).toBeLessThan(20)
  })

  test('another client, which sees everything, is assigned nothing, and agents get all as before', () => {
    const superSeeding = new SuperSeeding(100, () => PIECE)
    superSeeding.join(1, 0, { isAgent: false })
    expect(superSeeding.reveal(0)).toEqual([])
    superSeeding.join(2, 6)
    const shown = spread(superSeeding, { from: 6, until: 60, step: 0.05 })
    expect(superSeeding.finished).toBe(true)
    expect(new Set(shown.map(({ peer }) => peer))).toEqual(new Set([2]))
    expect(pieces(shown).sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })

  test('what other clients have taken has left the seeder', () => {
    const superSeeding = new SuperSeeding(10, () => PIECE)
    superSeeding.join(1, 0, { isAgent: false })
    for (let piece = 0; piece < 10; piece++) superSeeding.peerHas(1, piece, 1)
    expect(superSeeding.finished).toBe(true)
  })

  test('pieces that such a client took are shown to others in the end', () => {
    const superSeeding = seederOf(8, 1)
    for (let now = 0; now < 1; now += 0.1) {
      for (const { peer, piece } of superSeeding.reveal(now)) superSeeding.sent(peer, piece, PIECE, now)
    }
    superSeeding.join(2, 1)
    const times = { from: 1, until: 10, step: 0.1 }
    const shown = new Set(pieces(spread(superSeeding, { ...times, alive: (peer) => peer === 2 })))
    expect(shown.size).toBe(8)
    expect(superSeeding.finished).toBe(true)
  })

  test('a peer on the same machine is served when there is no other', () => {
    const superSeeding = seederOf(20)
    superSeeding.join(1, 0, { sameMachine: true })
    const first = superSeeding.reveal(0)
    expect(first.length).toBeGreaterThan(0)
    superSeeding.join(2, 0)
    superSeeding.join(3, 0)
    for (const { piece } of first) superSeeding.peerHas(1, piece, 0)
    for (const { peer } of spread(superSeeding, { until: 5, step: 0.01 })) expect(peer).not.toBe(1)
    expect(superSeeding.finished).toBe(true)
  })

  test('a peer on the same machine does not wait for dead ones', () => {
    const superSeeding = seederOf(20, 2)
    superSeeding.join(1, 0, { sameMachine: true })
    const times = { until: 5, step: 0.1 }
    const shown = new Set(pieces(spread(superSeeding, { ...times, alive: (peer) => peer === 1 })))
    expect(shown.size).toBe(20)
  })

  test('a piece is not shown to a peer that has it', () => {
    const superSeeding = seederOf(2, 1)
    superSeeding.peerHas(1, 0, 0)
    expect(superSeeding.reveal(0).map(({ piece }) => piece)).toEqual([1])
    superSeeding.peerHas(1, 1, 0)
    expect(superSeeding.finished).toBe(true)
  })

  test('a piece that one peer claims to have is shown after all others, and not when a second peer has it', () => {
    const superSeeding = seederOf(4, 1, 2)
    for (const piece of [0, 1, 2]) superSeeding.peerHas(1, piece, 0)
    superSeeding.peerHas(2, 1, 0)
    expect(superSeeding.finished).toBe(false)
    const shown = superSeeding.reveal(0)
    expect(shown[0]?.piece).toBe(3)
    expect(shown.slice(1)).toEqual([
      { peer: 2, piece: 0 },
      { peer: 2, piece: 2 },
    ])
    superSeeding.leave(2)
    expect(superSeeding.reveal(0.1).filter(({ piece }) => piece !== 3)).toEqual([])
  })

  test('a peer that claims everything, and has nothing, changes nothing for the others', () => {
    const superSeeding = seederOf(100, 1, 2, 3, 4)
    for (let piece = 0; piece < 100; piece++) superSeeding.peerHas(4, piece, 0)
    const shown = pieces(spread(superSeeding, { until: 10, step: 0.01 }))
    expect(superSeeding.finished).toBe(true)
    expect(shown.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })

  test('claims of one machine under many names are one claim', () => {
    const superSeeding = seederOf(100, 1, 2)
    const machine = '10.0.0.3'
    for (const peer of [3, 4, 5]) {
      superSeeding.join(peer, 0, { machine })
      for (let piece = 0; piece < 100; piece++) superSeeding.peerHas(peer, piece, 0)
    }
    superSeeding.leave(3)
    expect(superSeeding.finished).toBe(false)
    const shown = pieces(spread(superSeeding, { until: 10, step: 0.01 }))
    expect(shown.sort((a, b) => a - b)).toEqual([...Array(100).keys()])
  })

  describe('among peers that pass on what they get, one from which nobody takes anything', () => {
    /** Three peers that take four pieces in 0.1 s. The first two have each other's soon; nobody takes any of the third. */
    function among(tell = (_: SuperSeeding, __: { now: number; taken: number[] }) => {}) {
      const superSeeding = new SuperSeeding(1000, () => PIECE)
      for (const peer of [1, 2, 3]) superSeeding.join(peer, 0, { machine: `10.0.0.${peer}` })
      const taken: number[] = []
      const waiting = new Map<number, number[]>([1, 2, 3].map((peer) => [peer, []]))
      const shown: { now: number; peer: number; piece: number }[] = []
      for (let now = 0; now < 60 && !superSeeding.finished; now += 0.1) {
        for (const { peer, piece } of superSeeding.reveal(now)) {
          shown.push({ now, peer, piece })
          waiting.get(peer)?.push(piece)
        }
        for (const [peer, all] of waiting) {
          for (const piece of all.splice(0, 4)) {
            superSeeding.sent(peer, piece, PIECE, now + 0.01)
            superSeeding.peerHas(peer, piece, now + 0.01)
            if (peer === 3) taken.push(piece)
            else superSeeding.peerHas(3 - peer, piece, now + 0.02)
          }
        }
        tell(superSeeding, { now, taken })
      }
      return { shown, finished: superSeeding.finished }
    }

    test('is shown no more, and what it has is shown to others once', () => {
      const { shown, finished } = among()
      expect(finished).toBe(true)
      const lost = pieces(shown.filter(({ peer }) => peer === 3))
      expect(Math.max(...shown.filter(({ peer }) => peer === 3).map(({ now }) => now))).toBeLessThan(1)
      const others = pieces(shown.filter(({ peer }) => peer < 3))
      expect(others.sort((a, b) => a - b)).toEqual([...Array(1000).keys()])
      expect(lost.length).toBeGreaterThan(0)
      expect(lost.length).toBeLessThan(200)
    })

    test('is not believed when others on its machine say that they got it', () => {
      const { shown, finished } = among((superSeeding, { taken }) => {
        for (const piece of taken.splice(0)) {
          superSeeding.join(1000 + piece, 0, { machine: '10.0.0.3' })
          superSeeding.peerHas(1000 + piece, piece, 0)
        }
      })
      expect(finished).toBe(true)
      const others = pieces(shown.filter(({ peer }) => peer < 3))
      expect(others.sort((a, b) => a - b)).toEqual([...Array(1000).keys()])
    })

    test('is shown pieces again as soon as somebody gets one of it', () => {
      const { shown, finished } = among((superSeeding, { now, taken }) => {
        if (now > 2) for (const piece of taken.splice(0)) superSeeding.peerHas(1, piece, now)
      })
      expect(finished).toBe(true)
      const times = shown.filter(({ peer }) => peer === 3).map(({ now }) => now)
      expect(times.filter((now) => now > 1 && now < 2)).toEqual([])
      expect(times.filter((now) => now > 3).length).toBeGreaterThan(100)
    })
  })
})

/** The same code in simulated time: 50 Mbit/s links, no clock of this machine involved. */
describe('whole swarms', () => {
  const rate = 6_250_000
  const swarm = (servers: number, { slow = 0, alone = [] as number[] } = {}) => {
    const random = seeded(7)
    const ideal = (400 * PIECE) / rate
    const result = simulate({
      ...{ servers, pieces: 400, pieceLength: PIECE, latency: 0.0002, random },
      rate: (server) => (server > 0 && server <= slow ? rate / 10 : rate),
      alone: new Set(alone),
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

  test.each([3, 4, 15])('%i servers hardly wait for one that only the seeder reaches', (n) => {
    const { doneAt, ideal, seederSent, total, unfinished } = swarm(n, { alone: [n] })
    expect(unfinished).toBe(0)
    expect(Math.max(...doneAt.slice(0, -1).map((at) => at ?? Number.POSITIVE_INFINITY)) / ideal).toBeLessThan(
      1.25,
    )
    expect(seederSent / total).toBeLessThan(2.1)
  })
})
