import { expect, test } from 'vitest'
import { loadSettings } from '../../../../src/config/load.ts'
import { Placement } from '../../../../src/deploy/hosts/placement.ts'
import type { ServerFacts } from '../../../../src/deploy/scripts/facts-script.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const serverAt = (host: string) => ({ label: `deploy@${host}`, user: 'deploy', host, port: 22 }) as Server
const [a, b, c] = [serverAt('a'), serverAt('b'), serverAt('c')]
const fleet = { everyone: [a, b, c] }

const contextWith = (file: Record<string, unknown>) => {
  const { settings } = loadSettings({
    file,
    env: {},
    deployTo: '/srv/app',
    servers: ['deploy@a', 'deploy@b'],
    copy: {},
  })
  return { settings, fleet }
}
const saying = (found: Partial<ServerFacts>) => ({ addresses: [], ...found }) as unknown as ServerFacts
const facts = new Map([
  [a, saying({ clientAddress: '10.0.0.1', serverAddress: '10.0.0.2' })],
  [b, saying({ clientAddress: '10.0.0.1', serverAddress: '10.0.0.3' })],
])

test('on the deploy host: each server reaches it at the address that it sees', () => {
  const placement = new Placement(contextWith({}), facts)
  expect(placement.seeder).toEqual({ label: 'the deploy host', server: undefined, address: undefined })
  expect(placement.seederAddress(a)).toBe('10.0.0.1')
  expect(placement.announceUrls(b, false)).toEqual(['http://10.0.0.1:8998/announce'])
  expect(placement.announceUrls(undefined, false)).toEqual(['http://127.0.0.1:8998/announce'])
})

test('every machine is told of the port that the tracker has taken', () => {
  const placement = new Placement(contextWith({}), facts, 9001)
  expect(placement.announceUrls(b, false)).toEqual(['http://10.0.0.1:9001/announce'])
  expect(placement.announceUrls(undefined, false)).toEqual(['http://127.0.0.1:9001/announce'])
  expect(placement.shownTracker()).toBe('http://10.0.0.1:9001/{secret}/announce')
})

test('on the deploy host: a server that does not know its address needs the setting', () => {
  const unknown = new Map([[a, saying({})]])
  const placement = new Placement(contextWith({}), unknown)
  expect(placement.isReachable(placement.seeder, a)).toBe(false)
  expect(() => placement.seederAddress(a)).toThrow(/deploy@a does not say/)
  const announced = new Placement(contextWith({ announce: '192.0.2.1' }), unknown)
  expect(announced.isReachable(announced.seeder, a)).toBe(true)
  expect(announced.seederAddress(a)).toBe('192.0.2.1')
})

test('on a server: it reaches itself by loopback, the others by its address', () => {
  const placement = new Placement(contextWith({ seeder: 'deploy@a' }), facts)
  expect(placement.seeder.server).toBe(a)
  expect(placement.tracker.server).toBe(a)
  expect(placement.seederAddress(a)).toBe('127.0.0.1')
  expect(placement.seederAddress(b)).toBe('10.0.0.2')
})

test('seeder and tracker apart: `announce` is the address of the seeder only', () => {
  const file = { seeder: 'deploy@a', tracker: { at: 'deploy@c' }, announce: '192.0.2.1' }
  const placement = new Placement(contextWith(file), facts)
  expect(placement.tracker.server).toBe(c)
  expect(placement.seederAddress(b)).toBe('192.0.2.1')
  expect(placement.announceUrls(a, false)).toEqual(['http://c:8998/announce'])
})

test('a tracker beside the seeder has the address of the seeder, unless it has its own', () => {
  const file = { seeder: 'b:22', announce: '192.0.2.1' }
  const beside = new Placement(contextWith(file), facts)
  expect(beside.announceUrls(a, false)).toEqual(['http://192.0.2.1:8998/announce'])
  const own = new Placement(contextWith({ ...file, tracker: { address: '192.0.2.2' } }), facts)
  expect(own.announceUrls(a, false)).toEqual(['http://192.0.2.2:8998/announce'])
})

test('a tracker elsewhere is the one that all use; with none there is no announce URL', () => {
  const at = 'http://tracker.test:1234/announce'
  const elsewhere = new Placement(contextWith({ tracker: at }), facts)
  expect(elsewhere.hasOwnTracker).toBe(false)
  expect(elsewhere.announceUrls(a, true)).toEqual([at])
  expect(elsewhere.shownTracker()).toBe(at)
  const none = new Placement(contextWith({ tracker: 'none' }), facts)
  expect(none.announceUrls(a, true)).toEqual([])
  expect(none.shownTracker()).toBeUndefined()
})

test('the tracker to show has the address that most servers use', () => {
  const found = new Map([...facts, [c, saying({ clientAddress: '10.9.9.9' })]])
  const placement = new Placement(contextWith({ allowStrangers: true }), found)
  expect(placement.shownTracker()).toBe('http://10.0.0.1:8998/announce')
})
