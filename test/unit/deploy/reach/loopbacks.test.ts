import { expect, test } from 'vitest'
import type { RemotePeer } from '../../../../src/deploy/peers/remote-peer.ts'
import { tryLoopbacks } from '../../../../src/deploy/reach/loopbacks.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

test('a server fails only when it says that it cannot hear itself', async () => {
  const servers = ['a', 'b', 'c', 'd'].map((label) => ({ label }) as Server)
  const answers = [true, false, undefined]
  const peers = new Map(
    servers
      .slice(0, 3)
      .map((server, at) => [server, { ask: async () => answers[at] } as unknown as RemotePeer]),
  )
  const failures = await tryLoopbacks(servers, peers, new AbortController().signal)
  expect(failures.map(({ server }) => server)).toEqual(['b'])
  expect(failures[0]?.cause).toContain('a firewall of this server drops')
})
