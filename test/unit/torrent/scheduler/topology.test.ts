import { expect, test } from 'vitest'
import { seeded } from '../../../../bench/simulate/random.ts'
import { simulate } from '../../../../bench/simulate/swarm.ts'
import { accepts, toOpen } from '../../../../src/torrent/scheduler/topology.ts'

const settled = { neighbours: 0, ageS: 10 }

test('a small swarm is connected each to each', () => {
  expect(toOpen({ ...settled, swarm: 30 })).toBeGreaterThanOrEqual(29)
  expect(accepts({ ...settled, swarm: 30, neighbours: 40 }, { seeder: false, agent: true })).toBe(true)
})

test('in a large swarm everybody looks for the same few, half of them at first', () => {
  const large = { ...settled, swarm: 1000 }
  expect(toOpen(large)).toBe(10)
  expect(toOpen({ ...large, ageS: 0 })).toBe(5)
  expect(toOpen({ ...large, neighbours: 10 })).toBe(0)
})

test('in a large swarm a full peer takes no more agents, but other programs; a seeder takes both', () => {
  const full = { swarm: 1000, neighbours: 11, ageS: 10 }
  expect(accepts(full, { seeder: false, agent: true })).toBe(false)
  expect(accepts(full, { seeder: false, agent: false })).toBe(true)
  expect(accepts(full, { seeder: true, agent: true })).toBe(true)
  expect(accepts({ ...full, neighbours: 64 }, { seeder: true, agent: false })).toBe(false)
})

test('who leads a site takes all of it, and looks for as many as in a small swarm', () => {
  const leader = { swarm: 1000, neighbours: 20, ageS: 0, leads: true }
  expect(toOpen(leader)).toBeGreaterThan(0)
  expect(accepts({ ...leader, neighbours: 200 }, { seeder: false, agent: true })).toBe(true)
  expect(accepts({ ...leader, neighbours: 2000 }, { seeder: false, agent: true })).toBe(false)
})

test.each([1, 2])('swarm %i of 40 with deaths: all that live get everything', (seed) => {
  const random = seeded(seed)
  const result = simulate({
    ...{ servers: 40, pieces: 40, pieceLength: 65536, latency: 0.0002, random },
    rate: () => 6_250_000,
    startAt: () => random() * 0.2,
    deaths: new Map([1, 2, 3, 4, 5].map((server) => [server, random()])),
  })
  expect(result.unfinished).toBe(0)
})
