import { expect, it, onTestFinished, vi } from 'vitest'
import { Swarm } from '../support/harness/swarm-harness.ts'
import { RawWire } from '../support/raw-wire.ts'

const HAVE = 4
const HAVE_NONE = 15

it('a seeder shows its first pieces as soon as a peer says that it has none, and not only when it looks again', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const swarm = await Swarm.of(1024 * 1024)
  onTestFinished(() => swarm.end())
  const seeder = await swarm.seeder({ fleet: 2 })
  const wire = await RawWire.dial(seeder.port, { infoHash: swarm.metainfo.infoHash })
  onTestFinished(() => wire.close())
  wire.sendHandshake()
  wire.send(HAVE_NONE)
  expect(await wire.next(HAVE)).toEqual(Buffer.from([0, 0, 0, 0]))
})
