import { expect, test } from 'vitest'
import { ChangingPicture } from '../../../../src/page/model/change.ts'
import { limitOf } from '../../../../src/page/model/limit.ts'
import { PictureRecorder } from '../../../../src/page/model/recorder.ts'
import { SimulatedRun } from '../../../support/simulated-run.ts'

function recorder(...labels: string[]) {
  const clock = { ms: 1_000_000 }
  return { clock, recorder: new PictureRecorder('test', labels, () => clock.ms) }
}

test('lanes are entered and left at their times', () => {
  const { clock, recorder: made } = recorder('a')
  made.take({ event: 'server', server: 'a', phase: 'check', bytes: 0, total: 0 })
  clock.ms += 1500
  made.take({ event: 'server', server: 'a', phase: 'transfer', bytes: 0, total: 10 })
  clock.ms += 500
  made.take({ event: 'server', server: 'a', phase: 'done', bytes: 0, total: 0 })
  made.enter('a', 'publish')
  expect(made.picture.servers[0]).toMatchObject({
    lane: 'publish',
    spans: [
      ['check', 0, 1.5],
      ['transfer', 1.5, 2],
      ['ready', 2, 2],
      ['publish', 2],
    ],
  })
})

test('a failure keeps its cause and its cure', () => {
  const { recorder: made } = recorder('a')
  made.take({ event: 'failed', server: 'a', step: 'check', cause: 'no room', cure: 'make room' })
  expect(made.picture.servers[0]).toMatchObject({
    lane: 'failed',
    failure: { step: 'check', cause: 'no room', cure: 'make room' },
  })
})

test('a server that is lost looks failed until it is heard, and goes on where it was', () => {
  const { recorder: made } = recorder('a')
  const [server] = made.picture.servers
  made.found('a')
  made.take({ event: 'server', server: 'a', phase: 'transfer', bytes: 0, total: 10 })
  made.lost('a', { step: 'transfer', cause: 'nothing is heard of it', cure: 'look' })
  made.lost('a', { step: 'transfer', cause: 'the connection broke', cure: 'look' })
  expect(server).toMatchObject({ lane: 'failed', failure: { cause: 'the connection broke' } })
  made.found('a')
  expect(server).toMatchObject({ lane: 'transfer' })
  expect(server?.failure).toBeUndefined()
  expect(server?.spans.map(([lane]) => lane)).toEqual(['check', 'transfer', 'failed', 'transfer'])
})

test('a server that is lost for good has failed', () => {
  const { recorder: made } = recorder('a')
  made.lost('a', { step: 'transfer', cause: 'nothing is heard of it' })
  made.take({ event: 'failed', server: 'a', step: 'transfer', cause: 'out of time' })
  made.lost('a', { step: 'transfer', cause: 'nothing is heard of it' })
  made.found('a')
  expect(made.picture.servers[0]).toMatchObject({ lane: 'failed', failure: { cause: 'out of time' } })
})

test('names and messages of servers are one line, and change no direction of writing', () => {
  const { recorder: made } = recorder('a\u202eb')
  made.take({
    event: 'failed',
    server: 'a\u202eb',
    step: 'check',
    cause: 'no\u2066\nroom',
    cure: 'make\troom',
  })
  made.why('a\u202eb', 'a slow\u202e link')
  expect(made.picture.servers[0]).toMatchObject({
    server: 'a b',
    failure: { cause: 'no room', cure: 'make room' },
    why: 'a slow link',
  })
})

test('what comes from each source now is what has grown since the last word', () => {
  const { clock, recorder: made } = recorder('a', 'b')
  made.enter('a', 'transfer')
  made.sources('a', [['seeder', 100]])
  clock.ms += 2000
  made.sources('a', [
    ['b', 400],
    ['seeder', 300],
    ['nobody', 5],
  ])
  expect(made.picture.servers[0]?.from).toEqual([
    [1, 400, 200],
    ['seeder', 300, 100],
  ])
  made.enter('a', 'unpack')
  expect(made.picture.servers[0]?.from.map(([, , rate]) => rate)).toEqual([0, 0])
})

test('no server can be done before the size has come at the fastest rate', () => {
  const { clock, recorder: made } = recorder('a', 'b')
  expect(limitOf(made.picture)).toBeUndefined()
  clock.ms += 1000
  for (const [server, rate] of [
    ['a', 10],
    ['b', 20],
  ] as const) {
    made.enter(server, 'transfer')
    made.state(server, { phase: 'transfer', bytes: 1, total: 100, rate })
  }
  expect(limitOf(made.picture)).toEqual({ fromS: 1, untilS: 6 })
})

test('a browser that takes all changes sees what the recorder has, also of the servers of a retry', () => {
  const run = new SimulatedRun(7)
  const seen = new ChangingPicture(structuredClone(run.recorder.picture))
  const changes = run.recorder.listen()
  for (let atS = 1; atS < 30; atS++) {
    run.until(atS)
    const change = changes.take()
    if (change) seen.take(structuredClone(change))
  }
  expect(seen.picture).toEqual(run.recorder.picture)
  expect(seen.picture.run.outcome).toBe('published')
  run.recorder.confine(new Set(run.labels.slice(1)))
  expect(changes.take()).toBeUndefined()
  expect(run.recorder.picture.servers).toHaveLength(6)
})

test('a long run has a bounded number of samples, and its beginning and end are among them', () => {
  const { clock, recorder: made } = recorder('a')
  for (let round = 0; round < 20_000; round++) {
    clock.ms += 1000
    made.state('a', { phase: 'transfer', bytes: round, total: 20_000, rate: 1 })
  }
  made.end({ outcome: 'done' })
  const { samples } = made.picture
  expect(samples.length).toBeLessThanOrEqual(600)
  expect(samples.length).toBeGreaterThan(250)
  expect(samples[0]?.atS).toBe(1)
  expect(samples.at(-1)?.atS).toBe(20_000)
})
