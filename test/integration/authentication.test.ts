import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newSecret } from '../../src/torrent/access/secret.ts'
import type { Participant } from '../../src/torrent/participant.ts'
import { Swarm } from '../support/harness/swarm-harness.ts'
import { RawWire, type RawWireOptions } from '../support/raw-wire.ts'

const MIB = 1024 * 1024
const HAVE_ALL = 14
const EXTENDED = 20
/** What an agent may have said to one that has proved nothing: extended handshake and proof. */
const harmless = ({ id }: { id: number }) => id === EXTENDED || id === -1

let swarm: Swarm
let seeder: Participant
const secret = newSecret()
const wires: RawWire[] = []

beforeEach(async () => {
  swarm = await Swarm.of(MIB)
  seeder = await swarm.seeder({ secret, fleet: 1 })
})

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close()
  await swarm.end()
})

async function dial(o: Partial<RawWireOptions> = {}): Promise<RawWire> {
  const wire = await RawWire.dial(seeder.port, { infoHash: swarm.metainfo.infoHash, ...o })
  wires.push(wire)
  return wire
}

/** Asks for everything, and is turned out with nothing. */
async function expectNothing(wire: RawWire): Promise<void> {
  wire.send(2)
  wire.request(0, 0, 16_384)
  await wire.closed
  expect(wire.messages.filter((message) => !harmless(message))).toEqual([])
  expect(seeder.stats()).toMatchObject({ peers: 0, sent: 0 })
}

describe('a swarm with a secret', () => {
  it('brings the content to peers that know it', async () => {
    const first = await swarm.peer('a', [seeder], { secret })
    const second = await swarm.peer('b', [seeder, first], { secret })
    await Promise.all([first.complete, second.complete])
    expect([await swarm.isWhole('a'), await swarm.isWhole('b')]).toEqual([true, true])
  })

  it('takes in another program that proves to know it', async () => {
    const wire = await dial({ secret })
    await wire.shakeHands()
    wire.send(2)
    wire.request(0, 0, 16_384)
    expect((await wire.next(7)).length).toBe(8 + 16_384)
  })

  it('gives nothing to an agent that does not know it', async () => {
    const other = await swarm.peer('a', [seeder], { secret: newSecret() })
    const open = await swarm.peer('b', [seeder, other])
    const member = await swarm.peer('c', [seeder], { secret })
    await member.complete
    expect(other.stats()).toMatchObject({ received: 0, peers: 0 })
    expect(open.stats()).toMatchObject({ received: 0, peers: 0 })
  })

  it('gives nothing to a peer without a proof', async () => {
    const wire = await dial()
    wire.sendHandshake()
    await expectNothing(wire)
  })

  it('gives nothing to a peer that is silent after the handshake, and closes the connection', async () => {
    const wire = await dial()
    wire.sendHandshake()
    wire.sendExtendedHandshake()
    await wire.closed
    expect(wire.messages.filter((message) => !harmless(message))).toEqual([])
  })

  it('gives nothing to a peer that proves another secret', async () => {
    const wire = await dial({ secret: newSecret() })
    await wire.shakeHands()
    await expectNothing(wire)
  })

  it('gives nothing to a peer that sends our proof back', async () => {
    const wire = await dial()
    wire.sendHandshake()
    await wire.next(EXTENDED)
    // Our nonce is theirs, so their proof is one of the very same nonces.
    wire.sendExtendedHandshake({ murder_nonce: wire.theirNonce })
    const theirs = await wire.next(EXTENDED)
    wire.sendExtended(20, theirs.subarray(1))
    await expectNothing(wire)
  })

  it('gives nothing to a peer that repeats the proof of another connection', async () => {
    const member = await dial({ secret })
    await member.shakeHands()
    await member.next(HAVE_ALL)
    const overheard = member.proof()
    member.close()
    const wire = await dial({ peerId: member.peerId })
    wire.sendHandshake()
    wire.sendExtendedHandshake({ murder_nonce: member.nonce })
    await wire.next(EXTENDED)
    wire.sendExtended(20, overheard)
    await wire.closed
    expect(wire.messages.filter((message) => !harmless(message))).toEqual([])
  })

  it('accepts no long message before the proof', async () => {
    const wire = await dial()
    wire.sendHandshake()
    wire.sendExtendedHandshake({ padding: Buffer.alloc(5000) })
    await wire.closed
    expect(wire.messages.filter((message) => !harmless(message))).toEqual([])
  })
})
