import { expect, test } from 'vitest'
import { SourceNames } from '../../../../src/deploy/peers/source-names.ts'
import type { FleetFacts } from '../../../../src/deploy/preflight/preflight.ts'

const names = new SourceNames(
  new Map([
    [{ label: 'a' }, { addresses: ['10.0.0.1', '127.0.0.1'] }],
    [{ label: 'b' }, { addresses: ['10.0.0.2', '127.0.0.1'], serverAddress: '192.0.2.2' }],
  ]) as unknown as FleetFacts,
)

test('addresses become servers; of servers that share one, the port tells', () => {
  names.listens('a', 6881)
  names.listens('b', 6882)
  const from = [
    ['seeder', 9],
    ['10.0.0.1:7000', 8],
    ['192.0.2.2', 7],
    ['127.0.0.1:6882', 6],
    ['127.0.0.1:6999', 5],
    ['203.0.113.9:6881', 4],
    ['127.0.0.9:6881', 3],
  ]
  expect(names.resolve(from)).toEqual([
    ['seeder', 9],
    ['a', 8],
    ['b', 7],
    ['b', 6],
    ['a', 3],
  ])
})

test.each([undefined, 'seeder', {}, [[]], [['seeder', -1]], [['seeder', Number.NaN]], [[1, 2]], [null]])(
  '%j, which a server has made up, names nobody',
  (from) => expect(names.resolve(from)).toEqual([]),
)
