import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeKeyPair } from '../../../../src/agent/links/key-pair.ts'
import type { Context } from '../../../../src/deploy/context/context.ts'
import type { RemotePeer } from '../../../../src/deploy/peers/remote-peer.ts'
import { prepareLinks } from '../../../../src/deploy/reach/fleet-links.ts'
import { toServers } from '../../../../src/fleet/ssh/server.ts'
import { poolOf } from '../../../support/pool.ts'

/** What is said after these peers were asked. Their servers' host keys are known. */
async function saidOf(peers: readonly object[]): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'links-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const known = join(directory, 'known_hosts')
  writeFileSync(known, `192.0.2.* ${makeKeyPair().publicKey}\n`)
  const said: string[] = []
  const context = {
    settings: { between: 'ssh', betweenAddresses: [], remotePath: '/srv/murder', temporaryPath: '/srv/tmp' },
    shipit: { config: { deployTo: '/srv/app' } },
    signal: new AbortController().signal,
    display: { board: () => ({ log: (line: string) => said.push(line) }) },
  } as unknown as Context
  const extraSshOptions = { UserKnownHostsFile: known }
  const hosts = peers.map((_, at) => ({ user: 'me', host: `192.0.2.${at + 1}`, extraSshOptions }))
  const servers = toServers(poolOf(hosts))
  const start = {
    facts: new Map(),
    peers: new Map(servers.map((server, at) => [server, peers[at] as RemotePeer])),
    uploaded: Promise.resolve(),
  }
  await prepareLinks(context, start, new Map(), 'tag')
  return said
}

/** An agent that offers this, and says that all else went well. */
const offering = (offer: object) => ({
  hasOrder: false,
  ask: async (question: object) => ('offer' in question ? offer : 'dial' in question ? { failed: {} } : {}),
})
const withKey = () => offering({ publicKey: makeKeyPair().publicKey, user: 'me' })

test('nothing is said of servers that have their order already, because their deltas are in it', async () => {
  const silent = (hasOrder: boolean) => ({ hasOrder, ask: async () => undefined })
  expect(await saidOf([silent(true), silent(true)])).toEqual([])
  expect(await saidOf([silent(false), silent(true)])).toEqual([
    expect.stringContaining('nor over SSH (me@192.0.2.1'),
  ])
})

test.each([
  { publicKey: 'no key' },
  { publicKey: `${makeKeyPair().publicKey}\nssh-ed25519 another` },
  { command: '-oProxyCommand=id' },
  { command: 'exec true\nid' },
])('a server that offers %j is left out; the others exchange', async (offer) => {
  expect(await saidOf([withKey(), offering({ ...offer, user: 'me' }), withKey()])).toEqual([
    expect.stringMatching(/^2 of 3 servers exchange over SSH: .*; not one \(me@192\.0\.2\.2: /),
  ])
})
