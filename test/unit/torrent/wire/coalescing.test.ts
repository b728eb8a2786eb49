import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Coalescer, coalesceMsFor, FlowMeter, restMsFor } from '../../../../src/torrent/wire/coalescing.ts'

/** Iterations of 1 ms that move so many bytes each; whether the last one was slow. */
function after(flow: FlowMeter, from: number, iterations: number, bytes: number): boolean {
  let slow = true
  for (let at = 1; at <= iterations; at++) slow = flow.isSlow(from + at, bytes)
  return slow
}

test('a flow is slow at first, and on a link of 50 Mbit/s that is full both ways', () => {
  expect(after(new FlowMeter(0), 0, 200, 12_500)).toBe(true)
})

test('a flow is not slow at 1 Gbit/s, and slow again when little comes', () => {
  const flow = new FlowMeter(0)
  expect(after(flow, 0, 100, 125_000)).toBe(false)
  expect(after(flow, 100, 100, 1000)).toBe(true)
})

test('a rest is a small part of the time that requests are made ahead, and 10 ms where that is short', () => {
  expect([150, 75, 5].map(restMsFor)).toEqual([20, 10, 10])
})

test('what is not urgent waits as long as requests are made ahead, 5 to 40 ms', () => {
  expect([150, 20, 1].map((aheadMs) => coalesceMsFor(aheadMs))).toEqual([40, 20, 5])
  expect([150, 1].map((aheadMs) => coalesceMsFor(aheadMs, true))).toEqual([40, 40])
})

test('a flush that another flush asks for is done in the same iteration', async () => {
  const coalescer = new Coalescer()
  const done: string[] = []
  const answer = { flush: () => done.push('answer') }
  const question = {
    flush() {
      coalescer.flushSoon(answer)
      return done.push('question')
    },
  }
  coalescer.flushSoon(question)
  await endOfIteration()
  expect(done).toEqual(['question', 'answer'])
})

test('flushes that may wait are done together, some milliseconds later', async () => {
  const coalescer = new Coalescer()
  const done: string[] = []
  for (const name of ['one', 'two']) coalescer.flushLater({ flush: () => done.push(name) })
  await endOfIteration()
  expect(done).toEqual([])
  await delay(100)
  expect(done).toEqual(['one', 'two'])
})

describe('after an iteration the thread', () => {
  const agents = [{}, {}, {}, {}]
  const other = {}

  /** How long it rests after an iteration in which `from` has sent something. */
  async function rests(
    from: object[],
    { connected = agents, aheadMs = 0, bytes = 100, isBusy = false } = {},
  ) {
    const clock = { nowMs: 0 }
    const rests: number[] = []
    const coalescer = new Coalescer({
      nowMs: () => clock.nowMs,
      sleep: (ms) => void rests.push(ms),
      isBusy: () => isBusy,
    })
    for (const agent of connected) coalescer.agentJoined(agent)
    coalescer.requestsAhead(aheadMs)
    clock.nowMs = 100
    for (const each of from) coalescer.received(each, bytes)
    await endOfIteration()
    return rests
  }

  test('rests once when agents have sent something, and longer where requests are made far ahead', async () => {
    expect(await rests(agents)).toEqual([10])
    expect(await rests(agents, { aheadMs: 150 })).toEqual([20])
  })

  test('does not rest with few agents, for other clients, or when much comes', async () => {
    expect(await rests(agents, { connected: agents.slice(1) })).toEqual([])
    expect(await rests([...agents, other])).toEqual([])
    expect(await rests([other, ...agents])).toEqual([])
    expect(await rests(agents, { bytes: 1e6 })).toEqual([])
  })

  test('does not rest while other work waits for its turn', async () => {
    expect(await rests(agents, { isBusy: true })).toEqual([])
  })

  test('rests no more when an agent has left', async () => {
    const rested: number[] = []
    const coalescer = new Coalescer({ sleep: (ms) => void rested.push(ms) })
    for (const agent of agents) coalescer.agentJoined(agent)
    coalescer.agentLeft(agents[0] as object)
    coalescer.received(agents[1] as object, 1)
    await endOfIteration()
    expect(rested).toEqual([])
  })
})

const endOfIteration = () => new Promise((resolve) => setImmediate(resolve))
