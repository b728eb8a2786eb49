import { expect, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import type { RemotePeer } from '../../../../src/deploy/peers/remote-peer.ts'
import { prepareLinks } from '../../../../src/deploy/reach/fleet-links.ts'
import { toServers } from '../../../../src/fleet/ssh/server.ts'
import { poolOf } from '../../../support/pool.ts'

async function saidOf(haveOrders: readonly boolean[]): Promise<string[]> {
  const said: string[] = []
  const context = {
    settings: { between: 'ssh', betweenAddresses: [] },
    signal: new AbortController().signal,
    display: { board: () => ({ log: (line: string) => said.push(line) }) },
  } as unknown as Context
  const servers = toServers(poolOf(haveOrders.map((_, at) => ({ user: 'me', host: `192.0.2.${at + 1}` }))))
  const peers = new Map(
    servers.map((server, at) => [server, { hasOrder: haveOrders[at] } as unknown as RemotePeer]),
  )
  await prepareLinks(context, { facts: new Map(), peers, uploaded: Promise.resolve() }, new Map(), 'tag')
  return said
}

test('nothing is said of servers that have their order already, because their deltas are in it', async () => {
  expect(await saidOf([true, true])).toEqual([])
  expect(await saidOf([false, true])).toEqual([expect.stringContaining('nor over SSH (me@192.0.2.1')])
})
