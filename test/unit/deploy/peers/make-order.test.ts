import { expect, test } from 'vitest'
import { timeoutsFor } from '../../../../src/deploy/peers/make-order.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const timeouts = { connect: 10, stall: 60, total: 0, health: 60, hook: 120 }
const [one, other] = [{ label: 'one' }, { label: 'other' }] as Server[]
const relays = new Map([[other as Server, { tracker: 1, seeder: 2 }]])

test.each([
  ['whose way was tried', { areWaysTried: true, relays: new Map() }, one, 0],
  ['that is served through SSH', { areWaysTried: false, relays }, other, 0],
  ['of whose way nothing is known', { areWaysTried: false, relays }, one, 10],
])('a server %s has so many seconds to connect', (_, swarm, server, connect) => {
  expect(timeoutsFor(timeouts, swarm, server as Server)).toEqual({ ...timeouts, connect })
})
