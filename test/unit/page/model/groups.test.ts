import { expect, test } from 'vitest'
import { flowsBetween } from '../../../../src/page/model/flows.ts'
import { groupsOf, MAX_GROUPS } from '../../../../src/page/model/groups.ts'
import { shortNames } from '../../../../src/page/model/names.ts'
import { SimulatedRun } from '../../../support/simulated-run.ts'

const all = (count: number, name: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => name(at))
const grouped = (labels: string[]) => groupsOf(labels, shortNames(labels))

test.each([
  [
    ['deploy@web1.eu.example.com', 'deploy@web2.us.example.com'],
    ['web1.eu', 'web2.us'],
  ],
  [
    ['deploy@a', 'root@b'],
    ['deploy@a', 'root@b'],
  ],
  [
    ['deploy@127.0.0.1:2201', 'deploy@127.0.0.1:2202'],
    [':2201', ':2202'],
  ],
  [
    ['10.0.0.1', '10.0.1.1'],
    ['10.0.0.1', '10.0.1.1'],
  ],
  [['deploy@only.example.com'], ['only.example.com']],
])('%j are called %j', (labels, shorts) => expect(shortNames(labels)).toEqual(shorts))

test('a small fleet is one server each, in the order of numbers', () => {
  expect(grouped(['web10', 'web9', 'db']).map(({ name }) => name)).toEqual(['db', 'web9', 'web10'])
})

test('a large fleet is grouped by kind and site', () => {
  const labels = all(
    1000,
    (at) =>
      `deploy@${['web', 'api'][at % 2]}${at}.${['fra', 'iad', 'sin', 'gru', 'syd', 'lhr'][at % 6]}.x.com`,
  )
  const groups = grouped(labels)
  expect(groups.length).toBeGreaterThanOrEqual(6)
  expect(groups.length).toBeLessThanOrEqual(MAX_GROUPS)
  const kinds = groups.map(
    ({ members }) => new Set(members.map((place) => labels[place]?.replace(/\d+/, ''))).size,
  )
  expect(new Set(kinds)).toEqual(new Set([1]))
})

test.each([
  ['names of one kind', all(500, (at) => `web${at}`)],
  ['addresses of one network', all(200, (at) => `10.0.0.${at}`)],
  ['ports of one machine', all(100, (at) => `deploy@127.0.0.1:${2200 + at}`)],
  ['a kind for each', all(300, (at) => `x${'y'.repeat(at)}`)],
  ['the same name for all', all(60, () => 'web')],
])('%s give a few groups, which have every server once', (_, labels) => {
  const groups = grouped(labels)
  expect(groups.length).toBeGreaterThanOrEqual(12)
  expect(groups.length).toBeLessThanOrEqual(MAX_GROUPS)
  const members = groups.flatMap((group) => group.members).sort((a, b) => a - b)
  expect(members).toEqual(labels.map((_, place) => place))
})

test('flows of servers add up to those of their groups', () => {
  const { recorder, labels } = new SimulatedRun(200).until(8)
  const { servers } = recorder.picture
  const flows = flowsBetween(servers, grouped(labels), 'bytes')
  const seeder = servers.flatMap(({ from }) => from).filter(([source]) => source === 'seeder')
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
  expect(sum(flows.filter(({ from }) => from === 'seeder').map(({ bytes }) => bytes))).toBeCloseTo(
    sum(seeder.map(([, bytes]) => bytes)),
  )
})
