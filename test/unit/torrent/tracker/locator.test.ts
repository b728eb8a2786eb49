import { createServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { certainRoundTripMs } from '../../../../src/torrent/tracker/locator.ts'

it('a way to this machine is short, whether something listens or not', async () => {
  const server = createServer((socket) => socket.destroy())
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  expect(await certainRoundTripMs('127.0.0.1', port)).toBeLessThan(10)
  server.close()
  expect(await certainRoundTripMs('127.0.0.1', port)).toBeLessThan(10)
})

it('a way without an end is none', async () => {
  expect(await certainRoundTripMs('not an address', 1)).toBe(Number.POSITIVE_INFINITY)
})
