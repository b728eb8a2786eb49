import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { certainRoundTripMs, Locator } from '../../../../../src/torrent/tracker/sites/locator.ts'

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

const OWN = ['127.0.0.0/8']

describe('a locator', () => {
  /** Documentation addresses (RFC 5737): nothing is sent to them. */
  const [one, sameNetwork, other] = ['192.0.2.1', '192.0.2.2', '198.51.100.1']

  it('looks at the first peer of a network alone', async () => {
    const measured: string[] = []
    const locator = new Locator(async (host) => {
      measured.push(host)
      return host === one ? 50 : 1
    }, OWN)
    const places = [one, sameNetwork, other].map((host) => locator.locate(host, 6881))
    expect(await Promise.all(places)).toEqual(['~2', '~2', '~1'])
    expect(await locator.locate('127.0.0.1', 6881)).toBe('~1')
    expect(measured).toEqual([one, other])
  })

  it('lets nobody wait for long, and nobody for a network that is silent', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    let silent = (_ms: number) => {}
    let looks = 0
    const locator = new Locator(() => {
      looks++
      return new Promise((resolve) => {
        silent = resolve
      })
    }, OWN)
    expect(await locator.locate(one, 6881)).toBeUndefined() // after 0.25 s
    silent(Number.POSITIVE_INFINITY)
    await Promise.resolve()
    expect(await locator.locate(sameNetwork, 6881)).toBeUndefined()
    expect(looks).toBe(1)
    vi.advanceTimersByTime(61_000)
    void locator.locate(one, 6881)
    expect(looks).toBe(2)
  })
})
