import { expect, it } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { carryOrder } from '../../../../src/deploy/peers/carry-order.ts'
import type { ShipitConfig } from '../../../../src/shipit.ts'

const extent = { top: 'web' }
const from = '/srv/releases/2'
const env = [{ kind: 'exclude', pattern: '.env' }]

function order(config: ShipitConfig, current: string | undefined = '2') {
  const shipit = { config: { deployTo: '/srv', ignores: ['.env'], ...config } }
  return carryOrder({ settings: { ignore: ['*.log'] }, shipit } as unknown as Context, current, extent)
}

it.each<[what: string, ShipitConfig, expected: object | undefined]>([
  ['what the patterns leave out, with --del', {}, { from, filter: env, ignore: ['*.log'] }],
  ['the same with copies of flags', { copy: '-al' }, { from, filter: env, ignore: ['*.log'] }],
  ['nothing with copy: false', { copy: false }, undefined],
  ['everything without --del', { deploy: { remoteCopy: {} } }, { everything: true }],
  ['everything with an empty rsync', { deploy: { remoteCopy: { rsync: '' } } }, { everything: true }],
  ['nothing with --delete-excluded', { deploy: { remoteCopy: { rsync: '--delete-excluded' } } }, undefined],
  [
    'what is beside the directory with copyAsDir',
    { deploy: { remoteCopy: { copyAsDir: true, rsync: '--del --delete-excluded' } } },
    { from, filter: [], ignore: [], within: 'web' },
  ],
])('keeps %s', (_, config, expected) => {
  if (expected === undefined) expect(order(config)).toBeUndefined()
  else expect(order(config)).toMatchObject(expected)
  if (!(expected as { everything?: true })?.everything) expect(order(config)?.everything).toBeUndefined()
})

it('keeps nothing where nothing is live', () => {
  const { shipit, settings } = { shipit: { config: {} }, settings: { ignore: [] } }
  expect(carryOrder({ shipit, settings } as unknown as Context, undefined, extent)).toBeUndefined()
})
