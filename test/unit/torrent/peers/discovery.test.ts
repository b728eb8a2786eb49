import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import bencode from 'bencode'
import { expect, test } from 'vitest'
import { encodeCompact } from '../../../../src/torrent/encoding/compact.ts'
import type { ParticipantOptions } from '../../../../src/torrent/participant-options.ts'
import { Discovery } from '../../../../src/torrent/peers/discovery.ts'
import type { Neighbours } from '../../../../src/torrent/peers/neighbours.ts'
import type { SwarmContext } from '../../../../src/torrent/swarm-context.ts'

const told = ['10.0.0.1:6881', '127.0.0.1:6881', '203.0.113.9:25']

/** The addresses that a participant takes over from a tracker that tells of those in `told`. */
async function learnt(o: Partial<ParticipantOptions>): Promise<string[]> {
  const answer = bencode.encode({ interval: 60, peers: encodeCompact(told, 4) })
  const tracker = createServer((_, response) => void response.end(answer)).listen(0, '127.0.0.1')
  await once(tracker, 'listening')
  const trackers = [`http://127.0.0.1:${(tracker.address() as AddressInfo).port}/announce`]
  const heard = new Promise<string[]>((resolve) => {
    const context = {
      options: { peers: [], trackers, ...o },
      local: { infoHash: '11'.repeat(20), peerId: '22'.repeat(20), listenPort: 1 },
      metainfo: { length: 1 },
      meter: { read: () => ({}) },
      scheduler: { bytesHere: 0 },
      nowS: () => 0,
    } as unknown as SwarmContext
    const neighbours = {
      learn: (addresses: string[]) => addresses.length > 0 && resolve(addresses),
      dialMore: () => {},
    } as unknown as Neighbours
    new Discovery(context, neighbours, {
      isServed: () => true,
      onSwarmSize: () => {},
      onPlace: () => {},
      onGuidance: () => {},
    }).start()
  })
  const addresses = await heard
  tracker.close()
  return addresses
}

test('in a swarm with a secret a tracker can only tell of the fleet, where that is known', async () => {
  expect(await learnt({ secret: 'x', hosts: () => ['10.0.0.1'] })).toEqual(told.slice(0, 2))
  expect(await learnt({ secret: 'x', hosts: () => undefined })).toEqual(told)
  expect(await learnt({ hosts: () => ['10.0.0.1'] })).toEqual(told)
})
