import { expect, test } from 'vitest'
import { Flows } from '../../../../../src/torrent/peers/subflows/flows.ts'
import type { Block } from '../../../../../src/torrent/scheduler/partial-piece.ts'
import type { PeerWire } from '../../../../../src/torrent/wire/peer-wire.ts'

const BLOCK = 16 * 1024
const block = (piece: number): Block => ({ piece, offset: 0, length: BLOCK })

/** Connections to one neighbour; `log` is what is sent over which. */
function connections(count: number) {
  const log: string[] = []
  const wires = Array.from({ length: count }, (_, id) => {
    const note = (what: string) => (piece: number) => log.push(`${what} ${piece} over ${id}`)
    return { request: note('ask'), cancel: note('cancel') } as unknown as PeerWire
  })
  const flows = new Flows(wires[0] as PeerWire)
  for (const wire of wires.slice(1)) flows.add(wire)
  const wire = (id: number) => wires[id] as PeerWire
  /** Pieces that were asked for over a connection. */
  const over = (id: number) =>
    log.flatMap((line) =>
      line.startsWith('ask') && line.endsWith(`over ${id}`) ? Number(line.split(' ')[1]) : [],
    )
  const ask = (from: number, to: number, nowS: number) => {
    log.length = 0
    for (let piece = from; piece < to; piece++) flows.request(block(piece), nowS)
  }
  /** It brings everything that it was asked for since the last `ask`. */
  const bring = (id: number, nowS: number) => {
    for (const piece of over(id)) flows.arrived(wire(id), block(piece), nowS)
  }
  return { flows, wire, log, over, ask, bring }
}

test('one connection is asked for everything', () => {
  const { flows, log } = connections(1)
  for (const piece of [1, 2]) flows.request(block(piece), 0)
  flows.cancel(block(1))
  flows.cancel(block(1))
  expect(log).toEqual(['ask 1 over 0', 'ask 2 over 0', 'cancel 1 over 0'])
  expect(flows.window(0.1)).toBe(undefined)
})

test('new connections get the same, and later each as much as it brings', () => {
  const { flows, over, ask, bring } = connections(2)
  flows.window(0.1)
  ask(0, 8, 0)
  expect([over(0).length, over(1).length]).toEqual([4, 4])
  // The first is ten times as fast.
  bring(0, 0.02)
  bring(1, 0.2)
  ask(10, 43, 1)
  expect(over(0).length / over(1).length).toBeGreaterThan(6)
  expect(over(0).length / over(1).length).toBeLessThan(12)
})

test('all of them take what they bring in three round trips, in blocks that fit the slowest', () => {
  const { flows, ask, bring } = connections(2)
  expect(flows.window(0.1)).toEqual({ bytes: 2 * 64 * 1024, blockBytes: 16 * 1024 })
  ask(0, 8, 0)
  bring(0, 0.01)
  // 64 KiB in 10 ms, measured over the first blocks, too: 3.7 MB/s.
  expect(flows.window(0.1)?.bytes).toBeGreaterThan(64 * 1024 + 0.9e6)
  expect(flows.window(0.1)?.bytes).toBeLessThan(64 * 1024 + 1.3e6)
  expect(flows.window(0.1)?.blockBytes).toBe(16 * 1024)
})

test('one that has stopped bringing anything gets no more than it takes, and is found out', () => {
  const { flows, wire, over, ask, bring } = connections(2)
  flows.window(0.1)
  ask(0, 8, 0)
  bring(0, 0.1)
  for (let round = 1; round < 10; round++) {
    const before = flows.owedOver(wire(1))
    ask(10 * round, 10 * round + 4, round / 10)
    bring(0, round / 10 + 0.05)
    expect(flows.owedOver(wire(1)) - before).toBe(over(1).length * BLOCK)
  }
  expect(flows.owedOver(wire(1))).toBeLessThanOrEqual(64 * 1024 + BLOCK)
  expect(flows.stuck(0.5, 1)).toBe(wire(1))
  expect(flows.stuck(5, 1)).toBe(undefined)
})

test('what was asked over a connection that ends is named; over a stopped one nothing more is asked', () => {
  const { flows, wire, over, ask } = connections(3)
  flows.window(0.1)
  ask(0, 12, 0)
  const [first, ...others] = over(1)
  flows.arrived(wire(1), block(first as number), 0.1)
  expect(flows.remove(wire(1)).map(({ piece }) => piece)).toEqual(others)
  flows.stop(wire(2))
  const owed = flows.owedOver(wire(2))
  ask(20, 24, 0.1)
  expect(over(0)).toHaveLength(4)
  expect(flows.owedOver(wire(2))).toBe(owed)
})

test('at the end an idle connection takes over what a stuck one owes, and what comes twice is taken back', () => {
  const { flows, wire, log, over, ask, bring } = connections(2)
  flows.window(0.1)
  ask(0, 8, 0)
  const last = over(1).at(-1) as number
  bring(0, 0.1)
  log.length = 0
  flows.balance(0.2, true)
  expect(log).toEqual([]) // it may still come
  flows.balance(2, false)
  expect(log).toEqual([])
  flows.balance(2, true)
  expect(log).toEqual([`cancel ${last} over 1`, `ask ${last} over 0`])
  flows.arrived(wire(1), block(last), 2.1)
  expect(log.at(-1)).toBe(`cancel ${last} over 0`)
  expect(flows.owedOver(wire(0))).toBe(0)
})
