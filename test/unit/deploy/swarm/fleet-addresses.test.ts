import { expect, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import type { ServerFacts } from '../../../../src/deploy/scripts/facts-script.ts'
import { fleetHosts } from '../../../../src/deploy/swarm/fleet-addresses.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const [a, b] = ['192.0.2.1', '192.0.2.2'].map((host) => ({ host }) as Server) as [Server, Server]
const context = {
  fleet: { servers: [a] },
  settings: { tracker: { allow: ['198.51.100.0/24'] } },
} as unknown as Context
const saying = (found: Partial<ServerFacts>) => ({ addresses: [], ...found }) as unknown as ServerFacts

test('the hosts of a fleet are all addresses of all servers and what the settings add, or not known', async () => {
  const told = saying({ serverAddress: '10.0.0.2', addresses: ['10.0.0.2', '10.1.0.2'] })
  const hosts = await fleetHosts(context, new Map([[a, told]]))
  expect(hosts).toEqual(['10.0.0.2', '10.1.0.2', '192.0.2.1', '198.51.100.0/24'])
  expect(await fleetHosts(context, new Map([...[[a, told] as const], [b, saying({})]]))).toBeUndefined()
})

test('a server cannot name a whole network', async () => {
  const told = saying({ serverAddress: '10.0.0.2', addresses: ['0.0.0.0/0', '::/0', 'rubbish'] })
  expect(await fleetHosts(context, new Map([[a, told]]))).not.toContain('0.0.0.0/0')
  expect(await fleetHosts(context, new Map([[a, told]]))).toHaveLength(3)
})
