import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lastEvents, openEventLog } from '../../../../src/agent/runs/event-log.ts'
import { follow } from '../../../../src/agent/runs/tail-events.ts'
import type { AgentEvent } from '../../../../src/protocol/events.ts'

let folder: string
let file: string
let alive = true
let stop: AbortController

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'murder-follow-'))
  file = join(folder, 'events.ndjson')
  writeFileSync(file, '')
  alive = true
  stop = new AbortController()
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const start = () => follow(folder, () => alive, stop.signal)
const progress = (bytes: number): AgentEvent => ({
  event: 'progress',
  bytes,
  total: 9,
  down: 0,
  up: 0,
  peers: 1,
})
const line = (event: AgentEvent) => `${JSON.stringify(event)}\n`

async function rest(events: AsyncGenerator<AgentEvent>): Promise<AgentEvent[]> {
  const all: AgentEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

it('gives the events that were there and those that come, in order', async () => {
  appendFileSync(file, line(progress(1)))
  const events = start()
  expect((await events.next()).value).toEqual(progress(1))
  const next = events.next()
  appendFileSync(file, line(progress(2)))
  expect((await next).value).toEqual(progress(2))
})

it('waits for the end of a line', async () => {
  const events = start()
  const next = events.next()
  const text = line(progress(3))
  appendFileSync(file, text.slice(0, 10))
  await new Promise((resolve) => setTimeout(resolve, 20)) // so that both parts are read
  appendFileSync(file, text.slice(10))
  expect((await next).value).toEqual(progress(3))
})

it('gives all that a process wrote before it ended, also from a removed folder', async () => {
  const events = start()
  appendFileSync(file, line(progress(1)) + line({ event: 'done' }))
  rmSync(folder, { recursive: true })
  alive = false
  expect(await rest(events)).toEqual([progress(1), { event: 'done' }])
})

it('skips progress that is out of date', async () => {
  const log = [progress(1), progress(2), { event: 'warning', message: 'x' } as const, progress(3)]
  appendFileSync(file, log.map(line).join(''))
  alive = false
  expect(await rest(start())).toEqual([{ event: 'warning', message: 'x' }, progress(3)])
})

it('skips lines that are broken', async () => {
  appendFileSync(file, `{"event":"prog\n42\nnull\n${line({ event: 'done' })}`)
  alive = false
  expect(await rest(start())).toEqual([{ event: 'done' }])
})

it('starts again with a log that does', async () => {
  appendFileSync(file, line(progress(1)))
  const events = start()
  await events.next()
  truncateSync(file)
  const next = events.next()
  appendFileSync(file, line({ event: 'done' }))
  expect((await next).value).toEqual({ event: 'done' })
})

it('ends when it is told to', async () => {
  const events = rest(start())
  stop.abort()
  expect(await events).toEqual([])
})

it('keeps its log small, and the line that tells where the process listens', () => {
  const log = openEventLog(folder)
  const listening: AgentEvent = { event: 'listening', port: 1, pid: 2 }
  log.append(listening)
  for (let i = 0; i < 20_000; i++) log.append(progress(i))
  expect(statSync(file).size).toBeLessThan(1_100_000)
  log.close()
  expect(lastEvents(folder).at(-1)).toEqual(progress(19_999))
  const first = start()
  alive = false
  return expect(rest(first).then((events) => events[0])).resolves.toEqual(listening)
})

it('knows the last events of a run, or that there are none', () => {
  appendFileSync(file, line(progress(1)) + line({ event: 'done' }))
  expect(lastEvents(folder)).toEqual([progress(1), { event: 'done' }])
  expect(lastEvents(join(folder, 'missing'))).toEqual([])
})
