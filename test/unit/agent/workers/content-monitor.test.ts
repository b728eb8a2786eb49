import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type ContentJob, decodeTorrent } from '../../../../src/agent/runs/job.ts'
import { ContentMonitor } from '../../../../src/agent/workers/content-monitor.ts'
import type { AgentEvent } from '../../../../src/protocol/events.ts'
import { encodeMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'
import type { Participant } from '../../../../src/torrent/participant.ts'
import type { Stats } from '../../../../src/torrent/participant-options.ts'

const fields = { name: 'data', pieceLength: 16_384, pieces: new Uint8Array(20), content: 100, trackers: [] }
const job: ContentJob = {
  role: 'peer',
  tag: 'a',
  torrent: decodeTorrent(encodeMetainfo(fields)),
  path: '/data',
  trackers: [],
  peers: ['10.0.0.1:6881'],
  ports: [0, 0],
  linger: 30,
  uploadLimit: 0,
  downloadLimit: 0,
  limitOfEach: 0,
  attributes: true,
  ownerOnly: false,
  deletesOthers: false,
  timeouts: { connect: 0, stall: 5, total: 0 },
}
let events: AgentEvent[]
let stats: Stats
let monitor: ContentMonitor
let hasSource: boolean

beforeEach(() => {
  vi.useFakeTimers()
  events = []
  hasSource = true
  stats = {
    ...{ bytes: 0, total: 100, down: 0, up: 0, received: 0, fromSeeder: 0, sent: 0, peers: 0 },
    foundContent: true,
    banned: [],
  }
})
afterEach(() => {
  monitor.close()
  vi.useRealTimers()
})
const watch = (role: ContentJob['role'], timeouts: Partial<ContentJob['timeouts']> = {}) => {
  const topSources = (): [string, number][] => [['seeder', 10]]
  const participant = {
    stats: () => stats,
    topSources,
    port: 6882,
    get hasSource() {
      return hasSource
    },
  } as unknown as Participant
  const watched = { ...job, role, timeouts: { ...job.timeouts, ...timeouts } }
  monitor = new ContentMonitor(participant, watched, (event) => events.push(event), {
    started: performance.now(),
    kept: 0,
  })
}
const progress = () => events.filter(({ event }) => event === 'progress').length

it('reports at once, every second, and when the first peer and the first byte have come', () => {
  watch('peer')
  expect(progress()).toBe(1)
  vi.advanceTimersByTime(2000)
  expect(progress()).toBe(3)
  stats = { ...stats, peers: 1 }
  vi.advanceTimersByTime(250)
  expect(progress()).toBe(4)
  stats = { ...stats, bytes: 10 }
  vi.advanceTimersByTime(250)
  expect(progress()).toBe(5)
})

it.each([
  ['seeder', 5],
  ['peer', 0],
] as const)('a complete %s that sends for 5 s reports %i times', (role, times) => {
  watch(role)
  monitor.complete()
  const before = progress()
  for (let second = 0; second < 5; second++) {
    stats = { ...stats, sent: stats.sent + 10 }
    vi.advanceTimersByTime(1000)
  }
  expect(progress() - before).toBe(times)
})

it('reports seldom once the content is complete', () => {
  watch('seeder')
  monitor.complete()
  const before = progress()
  vi.advanceTimersByTime(9000)
  expect(progress()).toBe(before)
  vi.advanceTimersByTime(1250)
  expect(progress()).toBe(before + 1)
})

it('tells of each banned peer once', () => {
  watch('peer')
  stats = { ...stats, banned: ['10.0.0.2', '10.0.0.3'] }
  vi.advanceTimersByTime(1000)
  expect(events.flatMap((event) => (event.event === 'banned' ? [event.address] : []))).toEqual(stats.banned)
})

it('says within seconds, and once, that nobody has what is missing any more', async () => {
  const said = () => events.flatMap((event) => (event.event === 'warning' ? [event.message] : []))
  watch('peer', { stall: 60 })
  watchEnd()
  stats = { ...stats, bytes: 10, received: 10, peers: 2 }
  await vi.advanceTimersByTimeAsync(20_000)
  expect(said()).toEqual([])
  hasSource = false
  await vi.advanceTimersByTimeAsync(20_000)
  const line = 'at 10% of data nobody has the rest any more, of 2 that are connected: see with murder status '
  expect(said()).toEqual([expect.stringContaining(line)])
  hasSource = true
  await vi.advanceTimersByTimeAsync(1000)
  hasSource = false
  stats = { ...stats, peers: 0 }
  await vi.advanceTimersByTimeAsync(1000)
  expect(said()).toHaveLength(2)
  expect(said()[1]).toMatch(/any more: .*; it gives up 60 s after the last progress$/)
})

it.each([
  ['that met only others who wait', { foundContent: false, peers: 1 }],
  ['whose seeder sent wrong bytes', { wrongSeeder: { address: '10.0.0.1:6881', files: ['data'] } }],
])('a peer %s says that alone', async (_which, more) => {
  watch('peer', { stall: 60 })
  watchEnd()
  hasSource = false
  stats = { ...stats, ...more }
  await vi.advanceTimersByTimeAsync(20_000)
  expect(events.filter(({ event }) => event === 'warning')).toEqual([])
})

it('a peer that meets nobody says within seconds, and once, what it tried and what helps', async () => {
  watch('peer', { connect: 60, stall: 120 })
  watchEnd()
  stats = { ...stats, foundContent: false }
  await vi.advanceTimersByTimeAsync(4000)
  expect(events.filter(({ event }) => event === 'warning')).toEqual([])
  await vi.advanceTimersByTimeAsync(20_000)
  const message =
    'connected to nobody yet: tried peer 10.0.0.1:6881; it gives up after 60 s. If others reach this machine and it reaches nobody, name it to the seeder: --peer HOST:6882'
  expect(events.filter(({ event }) => event === 'warning')).toEqual([{ event: 'warning', message }])
})

/** Why it gave up, as far as it has. */
const watchEnd = () => {
  const end: { code?: string } = {}
  monitor.gaveUp.catch(({ code }) => {
    end.code = code
  })
  return end
}

it('gives up a peer when nothing has come for too long, and not earlier', async () => {
  watch('peer')
  const end = watchEnd()
  await vi.advanceTimersByTimeAsync(4750)
  stats = { ...stats, bytes: 10 }
  await vi.advanceTimersByTimeAsync(5000)
  expect(end).toEqual({})
  await vi.advanceTimersByTimeAsync(500)
  expect(end).toEqual({ code: 'STALLED' })
})

it('never gives up a seeder', async () => {
  watch('seeder')
  const end = watchEnd()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(end).toEqual({})
})
