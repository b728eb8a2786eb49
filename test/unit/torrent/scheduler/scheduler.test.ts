import { expect, test } from 'vitest'
import { seeded } from '../../../../bench/simulate/random.ts'
import type { Block } from '../../../../src/torrent/scheduler/partial-piece.ts'
import { Scheduler } from '../../../../src/torrent/scheduler/scheduler.ts'

const PIECE = 64 * 1024
const BLOCK = 16 * 1024

/** A swarm in a picture: one line a peer, one character a piece, `x` where the peer has it. */
function picture(...lines: string[]) {
  return pictureOf(PIECE, lines)
}

function pictureOf(pieceLength: number, lines: string[]) {
  const scheduler = new Scheduler({
    length: (lines[0]?.length ?? 0) * pieceLength,
    pieceLength,
    random: () => 0,
  })
  scheduler.setSwarmSize(9)
  lines.forEach((line, id) => {
    scheduler.join(id, BLOCK, 0)
    scheduler.unchoked(id)
    for (let piece = 0; piece < line.length; piece++) if (line[piece] === 'x') scheduler.peerHas(id, piece)
  })
  return scheduler
}

const key = ({ piece, offset }: Block) => `${piece}:${offset}`

test('asks a peer only for what it has, and the rarest first', () => {
  const scheduler = picture('xx..', '.xx.')
  const first = scheduler.nextRequests(0, 0)
  expect(first[0]?.piece).toBe(0)
  expect(first.every(({ piece }) => piece < 2)).toBe(true)
  expect(scheduler.nextRequests(0, 1)[0]?.piece).toBe(2)
})

test('has a source as long as a neighbour has something that is missing, or is our seeder', () => {
  const scheduler = picture('xx..', '.xx.')
  expect(scheduler.hasSource).toBe(true)
  scheduler.leave(1)
  for (const piece of [0, 1]) scheduler.alreadyHave(piece)
  expect(scheduler.hasSource).toBe(false)
  scheduler.describe(0, { largestBlock: BLOCK, isSeeder: true })
  expect(scheduler.hasSource).toBe(true)
})

test('of equally rare pieces it asks for the one that it heard of last', () => {
  const scheduler = picture('.....', '.....')
  for (const piece of [3, 1, 4, 0, 2]) for (const id of [0, 1]) scheduler.peerHas(id, piece, 0)
  expect(scheduler.nextRequests(0, 0)[0]?.piece).toBe(2)
  expect(scheduler.nextRequests(0, 1)[0]?.piece).toBe(0)
})

/** Eight pieces of one block, in the order in which the only peer is asked for them and brings them. */
function allAsked(scheduler: Scheduler): number[] {
  const asked: number[] = []
  for (let count = 0; count < 8; count++) {
    for (const block of scheduler.nextRequests(count, 0)) {
      asked.push(block.piece)
      scheduler.arrived(0, block, count + 0.001)
      scheduler.checked(block.piece, true)
    }
  }
  return asked
}

test('every fourth new piece is the first that is missing, so that what comes can be used in order', () => {
  const scheduler = pictureOf(BLOCK, ['........'])
  for (let piece = 0; piece < 8; piece++) scheduler.peerHas(0, piece, 0)
  expect(allAsked(scheduler)).toEqual([7, 6, 5, 0, 4, 3, 2, 1])
})

test('pieces that peers had when they joined are equally new: they come in order from a random place on', () => {
  const scheduler = pictureOf(BLOCK, ['xxxxxxxx'])
  expect(allAsked(scheduler)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('a seeder that shows few pieces is asked for half of one at first, and any other neighbour for a block', () => {
  const scheduler = picture('xx..', 'xx..')
  scheduler.describe(0, { largestBlock: BLOCK, isSeeder: true })
  expect(scheduler.nextRequests(0, 0)).toHaveLength(PIECE / 2 / BLOCK)
  expect(scheduler.nextRequests(0, 1)).toHaveLength(1)
})

test('asks for no block twice while others are free', () => {
  const scheduler = picture('xxxx', 'xxxx', 'xxxx')
  const asked = scheduler.nextRequests(0).map(key)
  expect(asked.length).toBe(3)
  expect(new Set(asked).size).toBe(asked.length)
})

test('asks nothing of a peer that chokes, and asks others for what it owed', () => {
  const scheduler = picture('x', 'x')
  const owed = scheduler.nextRequests(0, 0).map(key)
  scheduler.choked(0, false)
  expect(scheduler.nextRequests(0, 0)).toEqual([])
  expect(scheduler.nextRequests(0, 1).map(key)).toEqual(owed)
})

test('a peer that stops answering loses its blocks to others', () => {
  const scheduler = picture('x', 'x')
  const owed = scheduler.nextRequests(0, 0)
  expect(scheduler.tick(0.5)).toEqual([])
  expect(scheduler.tick(2).map(({ block }) => key(block))).toEqual(owed.map(key))
  expect(scheduler.nextRequests(2, 0)).toEqual([])
  expect(scheduler.nextRequests(2, 1).map(key)).toEqual(owed.map(key))
})

test('pieces that were begun with dead peers, and that no other peer has, leave room for others', () => {
  const scheduler = new Scheduler({
    length: 6 * PIECE,
    pieceLength: PIECE,
    random: () => 0,
    partialBytes: 2 * PIECE,
  })
  scheduler.setSwarmSize(9)
  for (const id of [0, 1, 2]) {
    scheduler.join(id, BLOCK, 0)
    scheduler.unchoked(id)
    for (const piece of [2 * id, 2 * id + 1]) scheduler.peerHas(id, piece)
  }
  expect(scheduler.nextRequests(0).map(({ piece }) => piece)).toEqual([0, 2])
  expect(scheduler.nextRequests(0, 2)).toEqual([])
  for (const id of [0, 1]) scheduler.leave(id)
  expect(scheduler.nextRequests(0, 2).map(({ piece }) => piece)).toEqual([4])
})

test('end game: a late block is asked of a second peer, and taken back from the first when it comes', () => {
  const scheduler = pictureOf(BLOCK, ['x', 'x'])
  const owed = scheduler.nextRequests(0, 0)
  const again = scheduler.nextRequests(0.9, 1)
  expect(again.map(key)).toEqual(owed.map(key))
  const arrival = scheduler.arrived(1, again[0] as Block, 1)
  expect(arrival?.cancel).toMatchObject([{ peer: 0, block: { offset: again[0]?.offset } }])
})

test('a block that was never asked for is thrown away', () => {
  const scheduler = picture('x')
  expect(scheduler.arrived(0, { piece: 0, offset: 0, length: BLOCK }, 0)).toBeUndefined()
})

test('a piece with a wrong hash is fetched again', () => {
  const scheduler = picture('x')
  for (const block of scheduler.nextRequests(0, 0)) scheduler.arrived(0, block, 0.01)
  scheduler.checked(0, false)
  expect(scheduler.done).toBe(false)
  expect(scheduler.nextRequests(0.02, 0).length).toBeGreaterThan(0)
})

test('a piece with a wrong hash that came from several is fetched from one of them alone', () => {
  const scheduler = pictureOf(64 * BLOCK, ['x', 'x'])
  for (let now = 0, blocks = 0; blocks < 64; now += 0.1) {
    const asked = scheduler.nextRequests(now)
    for (const block of asked) scheduler.arrived(block.peer, block, now + 0.01)
    blocks += asked.length
  }
  scheduler.checked(0, false)
  const owed = scheduler.nextRequests(10, 0)
  expect(owed.length).toBeGreaterThan(0)
  expect(scheduler.nextRequests(10, 1)).toEqual([])
  scheduler.tick(15)
  expect(scheduler.nextRequests(15, 1).map(key)).toContain(owed.map(key)[0])
})

test.each([1, 2, 3, 4, 5, 6, 7, 8])('random swarm %i: always finishes while one full copy lives', (seed) => {
  const random = seeded(seed)
  const pieces = 40
  const scheduler = new Scheduler({ length: pieces * PIECE - 5000, pieceLength: PIECE, random })
  const has = new Map<number, Set<number>>()
  const join = (id: number, full: boolean) => {
    has.set(id, new Set())
    scheduler.join(id, random() < 0.5 ? BLOCK : 8 * BLOCK, 0)
    scheduler.unchoked(id)
    for (let piece = 0; piece < pieces; piece++) {
      if (!full && random() < 0.5) continue
      has.get(id)?.add(piece)
      scheduler.peerHas(id, piece)
    }
  }
  join(0, true)
  for (let id = 1; id < 6; id++) join(id, false)
  const inFlight: { peer: number; block: Block }[] = []
  let now = 0
  for (let step = 0; step < 20_000 && !scheduler.done; step++) {
    now += 0.01
    for (const flight of scheduler.nextRequests(now)) {
      expect(has.get(flight.peer)?.has(flight.piece)).toBe(true)
      inFlight.push({ peer: flight.peer, block: flight })
    }
    for (const { peer, block } of scheduler.tick(now)) drop(inFlight, peer, block)
    const luck = random()
    if (luck < 0.002 && has.size > 1) {
      const [victim = 0] = [...has.keys()].slice(1)
      has.delete(victim)
      scheduler.leave(victim)
      for (const flight of inFlight.filter(({ peer }) => peer === victim))
        drop(inFlight, victim, flight.block)
    }
    const next = inFlight[Math.floor(random() * inFlight.length)]
    if (!next) continue
    drop(inFlight, next.peer, next.block)
    if (luck > 0.97) {
      scheduler.rejected(next.peer, next.block, now)
      continue
    }
    const arrival = scheduler.arrived(next.peer, next.block, now)
    for (const { peer, block } of arrival?.cancel ?? []) drop(inFlight, peer, block)
    if (arrival?.complete) scheduler.checked(next.block.piece, random() > 0.05)
  }
  expect(scheduler.done).toBe(true)
})

function drop(flights: { peer: number; block: Block }[], peer: number, block: Block): void {
  const at = flights.findIndex((flight) => flight.peer === peer && key(flight.block) === key(block))
  if (at >= 0) flights.splice(at, 1)
}

test('counts the bytes that are here, of a shorter last piece as well', () => {
  const scheduler = new Scheduler({ length: 2 * PIECE + 10, pieceLength: PIECE, random: () => 0 })
  expect(scheduler.bytesHere).toBe(0)
  scheduler.alreadyHave(2)
  expect(scheduler.bytesHere).toBe(10)
  scheduler.alreadyHave(0)
  expect(scheduler.bytesHere).toBe(PIECE + 10)
})

test('of a piece that is partly on disk only the rest is asked for, until it turns out wrong', () => {
  const scheduler = pictureOf(PIECE, ['x'])
  scheduler.partlyHave(0, Uint8Array.of(1, 0, 1, 0))
  const offsets: number[] = []
  const take = (blocks: readonly Block[]) =>
    blocks.map((block) => {
      offsets.push(block.offset)
      return scheduler.arrived(0, block, 0)
    })
  const first = take(scheduler.nextRequests(0, 0))
  const second = take(scheduler.nextRequests(0, 0))
  expect(offsets).toEqual([BLOCK, 3 * BLOCK])
  expect([first[0]?.first, first[0]?.unverified]).toEqual([true, Uint8Array.of(1, 0, 1, 0)])
  expect(second[0]).toMatchObject({ first: false, complete: true })
  scheduler.checked(0, false)
  offsets.length = 0
  for (let round = 0; round < 4; round++) take(scheduler.nextRequests(1, 0))
  expect(offsets).toEqual([0, BLOCK, 2 * BLOCK, 3 * BLOCK])
  scheduler.checked(0, true)
  expect(scheduler.done).toBe(true)
})

test('what is on disk of a piece counts no more when the piece begins anew', () => {
  const scheduler = pictureOf(PIECE, ['x'])
  scheduler.partlyHave(0, Uint8Array.of(1, 1, 1, 0))
  const [request] = scheduler.nextRequests(0, 0)
  expect(request?.offset).toBe(3 * BLOCK)
  scheduler.restart(0)
  const [again] = scheduler.nextRequests(0, 0)
  expect(again?.offset).toBe(0)
  expect(scheduler.arrived(0, again as Block, 0)).toMatchObject({ first: true, unverified: undefined })
})
