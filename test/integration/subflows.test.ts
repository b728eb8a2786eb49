import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { Participant } from '../../src/torrent/participant.ts'
import { Swarm } from '../support/harness/swarm-harness.ts'
import { RawWire } from '../support/raw-wire.ts'

/** A proxy on this machine cannot delay the making of a connection: so the clock says what a long way would make it say. */
vi.mock('../../src/torrent/peers/subflows/round-trip-clock.ts', () => ({
  RoundTripClock: class {
    stop() {
      return { mostS: 0.06, leastS: 0.05 }
    }
  },
}))

const DELAY_MS = 30
/** Bytes a second that one connection carries. */
const EACH = 500_000
const BURST_MS = 20

const swarms: Swarm[] = []
const ways: LongWay[] = []
afterEach(async () => {
  for (const way of ways.splice(0)) way.close()
  for (const swarm of swarms.splice(0)) await swarm.end()
})

/** A long way on which each connection carries little, as where packets are lost. Chunks come after a delay, in order. */
class LongWay {
  /** Clients' ends of the connections that are open. */
  readonly open = new Set<Socket>()
  most = 0
  readonly #server: Server

  constructor(to: number) {
    this.#server = createServer((near) => {
      const far = connect(to, '127.0.0.1')
      this.open.add(near)
      this.most = Math.max(this.most, this.open.size)
      pass(near, far)
      pass(far, near)
      near.once('close', () => this.open.delete(near))
    })
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as { port: number }).port
  }

  close(): void {
    this.#server.close()
    for (const socket of this.open) socket.destroy()
  }
}

function pass(from: Socket, to: Socket): void {
  let freeAtMs = 0
  from.on('error', () => {})
  from.on('data', (chunk: Buffer) => {
    const nowMs = performance.now()
    freeAtMs = Math.max(freeAtMs, nowMs) + (chunk.length / EACH) * 1000
    setTimeout(() => to.writable && to.write(chunk), freeAtMs - nowMs + DELAY_MS)
    if (freeAtMs - nowMs < BURST_MS) return
    from.pause()
    setTimeout(() => from.resume(), freeAtMs - nowMs - BURST_MS / 2)
  })
  from.on('close', () => setTimeout(() => to.end(), Math.max(0, freeAtMs - performance.now()) + DELAY_MS))
}

async function longWay(bytes: number, secret: string | undefined) {
  const swarm = await Swarm.of(bytes)
  swarms.push(swarm)
  const proof = secret === undefined ? {} : { secret }
  const seeder = await swarm.seeder({ fleet: 1, ...proof })
  const way = new LongWay(seeder.port)
  ways.push(way)
  const port = await way.listen()
  const peer = await swarm.peer('far', [{ port } as Participant], { fleet: 1, ...proof })
  return { swarm, seeder, way, peer }
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
}

test.each([
  ['with a proof', 'a secret of this swarm'],
  ['without a secret', undefined],
])(
  'two agents use several connections over a long way, %s, and are one neighbour',
  async (_, secret) => {
    const { swarm, seeder, way, peer } = await longWay(6_000_000, secret)
    await until(() => way.open.size >= 8)
    expect([seeder.stats().peers, peer.stats().peers]).toEqual([1, 1])
    await peer.complete
    expect(await swarm.isWhole('far')).toBe(true)
    // One connection would have taken 12 s, and nearly nothing came twice.
    expect(peer.stats().received).toBeLessThan(6_000_000 * 1.1)
  },
  20_000,
)

test('the one that has opened the connection opens more, when the other one downloads', async () => {
  const swarm = await Swarm.of(6_000_000)
  swarms.push(swarm)
  const peer = await swarm.peer('far', [], { fleet: 1 })
  const way = new LongWay(peer.port)
  ways.push(way)
  await swarm.seeder({ fleet: 1, peers: [`127.0.0.1:${await way.listen()}`] })
  await until(() => way.open.size >= 8)
  await peer.complete
  expect(await swarm.isWhole('far')).toBe(true)
}, 20_000)

test('connections that break in the middle cost only what was under way', async () => {
  const { swarm, way, peer } = await longWay(8_000_000, 'a secret of this swarm')
  await until(() => way.open.size >= 8 && peer.stats().bytes > 1_000_000)
  const [, second, third] = [...way.open]
  second?.destroy()
  third?.destroy()
  await peer.complete
  expect(await swarm.isWhole('far')).toBe(true)
  expect(peer.stats().received).toBeLessThan(8_000_000 * 1.2)
}, 20_000)

test('a member gets at most fifteen more connections, and only as a neighbour', async () => {
  const secret = 'a secret of this swarm'
  const swarm = await Swarm.of(100_000)
  swarms.push(swarm)
  const { port } = await swarm.seeder({ fleet: 1, secret })
  const { infoHash } = swarm.metainfo
  const join = async (more: { peerId?: Buffer; subflow?: boolean }) => {
    const wire = await RawWire.dial(port, { infoHash, secret, ...more })
    await wire.shakeHands()
    await wire.next(20) // its proof
    return wire
  }
  const first = await join({})
  const { peerId } = first
  const stranger = await join({ subflow: true })
  await stranger.closed
  const more = await Promise.all(Array.from({ length: 20 }, () => join({ peerId, subflow: true })))
  await until(() => more.filter(({ socket }) => socket.destroyed).length === 5)
  const kept = more.find(({ socket }) => !socket.destroyed) as RawWire
  kept.request(0, 0, 16384)
  expect((await kept.next(7)).length).toBe(8 + 16384)
  first.close()
  await Promise.all(more.map(({ closed }) => closed))
})

test('when the first connection breaks, all begin anew', async () => {
  const { swarm, way, peer } = await longWay(6_000_000, undefined)
  await until(() => way.open.size >= 8)
  const [first] = [...way.open]
  first?.destroy()
  await peer.complete
  expect(await swarm.isWhole('far')).toBe(true)
}, 20_000)
