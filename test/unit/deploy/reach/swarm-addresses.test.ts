import { expect, test } from 'vitest'
import type { FleetFacts } from '../../../../src/deploy/preflight/preflight.ts'
import { swarmAddresses } from '../../../../src/deploy/reach/swarm-addresses.ts'
import type { ReachableSwarm } from '../../../../src/deploy/swarm/swarm.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const [near, far] = [{ label: 'near' }, { label: 'far' }] as Server[]
const facts = new Map([[far, { serverAddress: '10.0.0.2' }]]) as unknown as FleetFacts

const swarm = (trackerAt?: object) =>
  ({
    placement: {
      seeder: {},
      tracker: { server: trackerAt },
      hasOwnTracker: true,
      announceUrls: () => ['http://10.0.0.1:8998/announce'],
      seederAddress: () => '10.0.0.1',
    },
    seederPort: 6881,
    relays: new Map([[far, { tracker: 40001, seeder: 40002 }]]),
  }) as unknown as ReachableSwarm

test('a server with a relay finds all on its own loopback, and announces the address that others reach', () => {
  expect(swarmAddresses(swarm(), far as Server, facts, true)).toEqual({
    trackers: ['http://127.0.0.1:40001/{secret}/announce'],
    peers: ['127.0.0.1:40002'],
    address: '10.0.0.2',
  })
  expect(swarmAddresses(swarm(), near as Server, facts, true)).toEqual({
    trackers: ['http://10.0.0.1:8998/announce'],
    peers: ['10.0.0.1:6881'],
  })
})

test('what is on another server is reached there', () => {
  const { trackers, peers } = swarmAddresses(swarm({}), far as Server, facts, true)
  expect([trackers, peers]).toEqual([['http://10.0.0.1:8998/announce'], ['127.0.0.1:40002']])
})
