import { expect, test, vi } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import type { FleetPlan } from '../../../../src/deploy/peers/make-order.ts'
import type { RemotePeer } from '../../../../src/deploy/peers/remote-peer.ts'
import { TransferPlans } from '../../../../src/deploy/peers/transfer-plans.ts'
import type { ReachableSwarm } from '../../../../src/deploy/swarm/swarm.ts'
import type { Transfer } from '../../../../src/deploy/transfer/transfer.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

vi.mock('../../../../src/deploy/peers/make-order.ts', async (load) => ({
  ...(await load<object>()),
  sameForAll: async () => ({}),
}))

const [one, two, three] = ['one', 'two', 'three'].map((label) => ({ label }) as Server) as [
  Server,
  Server,
  Server,
]
const elsewhere = { label: 'elsewhere' } as Server
const whole = {} as Transfer
const delta = { base: { id: 'x', becomes: 'y', unchanged: false } } as Transfer

/** The servers that are asked whether they reach the seeder, before they get an order. */
async function asked(seeder: Server | undefined, between: string, deltas: [Server, Transfer][]) {
  const met: Server[] = []
  const swarm = {
    placement: { seeder: { server: seeder } },
    async meet(server: Server) {
      met.push(server)
      return swarm
    },
  } as unknown as ReachableSwarm
  const servers = [one, two, three]
  const peers = new Map(servers.map((server) => [server, {} as RemotePeer]))
  const context = { settings: { between }, fleet: { servers } } as unknown as Context
  const plan = { swarm, peers, deltas: new Map(deltas), whole: async () => whole } as unknown as FleetPlan
  const plans = new TransferPlans(context, plan)
  for (const server of servers) await plans.for(server)
  return met
}

test('servers that get what the seeder on a server gets, too, find the seeder over links', async () => {
  expect(await asked(one, 'auto', [])).toEqual([])
  expect(
    await asked(one, 'auto', [
      [one, delta],
      [two, delta],
      [three, delta],
    ]),
  ).toEqual([])
  expect(await asked(undefined, 'direct', [])).toEqual([])
})

test('others are asked whether they reach it', async () => {
  expect(
    await asked(one, 'auto', [
      [one, delta],
      [two, delta],
    ]),
  ).toEqual([three])
  expect(
    await asked(one, 'ssh', [
      [two, delta],
      [three, delta],
    ]),
  ).toEqual([two, three])
  expect(await asked(elsewhere, 'auto', [])).toEqual([one, two, three])
  expect(await asked(one, 'direct', [])).toEqual([one, two, three])
})

test('unless the content is in their order', async () => {
  const small = { ...delta, content: Buffer.from('all') }
  expect(
    await asked(one, 'auto', [
      [two, small],
      [three, small],
    ]),
  ).toEqual([])
})
