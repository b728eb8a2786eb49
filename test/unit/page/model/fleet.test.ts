import { expect, test } from 'vitest'
import { medianDoneS, slowestFirst } from '../../../../src/page/model/fleet.ts'
import type { Lane, ServerPicture } from '../../../../src/page/model/picture.ts'
import { SimulatedRun } from '../../../support/simulated-run.ts'

const server = (name: string, lane: Lane, fields: Partial<ServerPicture> = {}): ServerPicture => ({
  server: name,
  lane,
  spans: [[lane, 0]],
  bytes: 0,
  rate: 0,
  from: [],
  ...fields,
})

test('half of the fleet is half of all, and not of those that are done', () => {
  const done = (atS: number) => server(`done ${atS}`, 'live', { spans: [['ready', atS]] })
  const rest = [server('failed', 'failed'), server('on its way', 'transfer')]
  expect(medianDoneS([done(3), ...rest])).toBeUndefined()
  expect(medianDoneS([done(3), done(1), ...rest])).toBe(3)
  expect(medianDoneS([done(3), done(1), done(2)])).toBe(2)
  expect(medianDoneS([])).toBeUndefined()
})

test('the failed come first, then who is furthest behind, then who was done last', () => {
  const servers = [
    server('done early', 'live', { spans: [['ready', 2]] }),
    server('more bytes', 'transfer', { bytes: 2 }),
    server('done late', 'publish', { spans: [['ready', 9]] }),
    server('slower', 'transfer', { bytes: 1, rate: 3 }),
    server('faster', 'transfer', { bytes: 1, rate: 4 }),
    server('failed', 'failed'),
    server('checking', 'check', { bytes: 5 }),
  ]
  const order = slowestFirst({ ...new SimulatedRun(1).recorder.picture, servers })
  expect(order.map((place) => servers[place]?.server)).toEqual([
    'failed',
    'checking',
    'slower',
    'faster',
    'more bytes',
    'done late',
    'done early',
  ])
})
