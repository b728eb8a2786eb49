import { afterEach, expect, it } from 'vitest'
import { newSecret } from '../../src/torrent/access/secret.ts'
import { Swarm } from '../support/harness/swarm-harness.ts'
import { RawWire } from '../support/raw-wire.ts'

const KIB = 1024
const [UNCHOKE, REQUEST, HAVE_ALL, REJECT] = [1, 6, 14, 16]

let swarm: Swarm
const wires: RawWire[] = []
afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close()
  await swarm?.end()
})

it('a member that sends only the beginning of each piece, and that wrong, is found out', async () => {
  const secret = newSecret()
  swarm = await Swarm.of(4 * 1024 * KIB, { pieceLength: 256 * KIB })
  const peer = await swarm.peer('a', [], { secret })
  for (let identity = 0; identity < 2; identity++) {
    const wire = await RawWire.dial(peer.port, {
      ...{ infoHash: swarm.metainfo.infoHash, secret, port: 1000 + identity },
    })
    wires.push(wire)
    await wire.shakeHands()
    wire.onMessage = ({ id, body }) => {
      if (id !== REQUEST) return
      if (body.readUInt32BE(4) > 0) return wire.send(REJECT, body)
      wire.sendBlock(body.readUInt32BE(0), 0, Buffer.alloc(body.readUInt32BE(8), 'wrong'))
    }
    wire.send(HAVE_ALL)
    wire.send(UNCHOKE)
  }
  await new Promise((resolve) => setTimeout(resolve, 300))
  const seeder = await swarm.seeder({ secret, fleet: 1, peers: [`127.0.0.1:${peer.port}`] })
  await peer.complete
  expect(await swarm.isWhole('a')).toBe(true)
  expect(peer.stats().banned.length).toBeGreaterThan(0)
  for (const address of peer.stats().banned) expect(address).toMatch(/^127\.0\.0\.1:100[01]$/)
  expect(seeder.stats().peers).toBe(1)
})
