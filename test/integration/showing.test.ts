import { randomBytes } from 'node:crypto'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Swarm } from '../support/harness/swarm-harness.ts'
import { RawWire, type RawWireOptions } from '../support/raw-wire.ts'

const [UNCHOKE, HAVE, BITFIELD, HAVE_ALL, HAVE_NONE] = [1, 4, 5, 14, 15]
const agentId = Buffer.concat([Buffer.from('-MU0100-'), randomBytes(12)])

async function swarmOf(bytes: number): Promise<Swarm> {
  const swarm = await Swarm.of(bytes)
  onTestFinished(() => swarm.end())
  return swarm
}

async function greet(port: number, options: RawWireOptions): Promise<RawWire> {
  const wire = await RawWire.dial(port, options)
  onTestFinished(() => wire.close())
  wire.sendHandshake()
  return wire
}

/** The messages of these kinds so far, in order. */
const order = ({ messages }: RawWire, ...kinds: number[]) =>
  messages.map(({ id }) => id).filter((id) => kinds.includes(id))

it('a seeder shows its first pieces as soon as an agent says that it has none, and not only when it looks again', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const swarm = await swarmOf(1024 * 1024)
  const seeder = await swarm.seeder({ fleet: 2 })
  const wire = await greet(seeder.port, { infoHash: swarm.metainfo.infoHash, peerId: agentId })
  wire.send(HAVE_NONE)
  expect(await wire.next(HAVE)).toEqual(Buffer.from([0, 0, 0, 0]))
  await wire.next(UNCHOKE)
  expect(order(wire, UNCHOKE, HAVE, HAVE_NONE).slice(0, 3)).toEqual([HAVE_NONE, HAVE, UNCHOKE])
})

it('a seeder shows another client everything at once, before it unchokes it', async () => {
  const swarm = await swarmOf(1024 * 1024)
  const seeder = await swarm.seeder({ fleet: 2 })
  const wire = await greet(seeder.port, { infoHash: swarm.metainfo.infoHash })
  await wire.next(UNCHOKE)
  expect(order(wire, UNCHOKE, HAVE, BITFIELD, HAVE_ALL, HAVE_NONE)).toEqual([HAVE_ALL, UNCHOKE])
})

it('a peer that has nothing yet unchokes nobody before it has something to show', async () => {
  const swarm = await swarmOf(200_000)
  const peer = await swarm.peer('copy', [])
  const wire = await greet(peer.port, { infoHash: swarm.metainfo.infoHash })
  await wire.next(HAVE_NONE)
  const seeder = await swarm.seeder({ peers: [`127.0.0.1:${peer.port}`] })
  await peer.complete
  await wire.next(UNCHOKE)
  expect(order(wire, UNCHOKE, HAVE).slice(0, 2)).toEqual([HAVE, UNCHOKE])
  expect(seeder.stats().sent).toBeGreaterThan(0)
})
