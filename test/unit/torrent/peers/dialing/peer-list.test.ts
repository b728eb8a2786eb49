import { expect, test } from 'vitest'
import { PeerList } from '../../../../../src/torrent/peers/dialing/peer-list.ts'

const address = '10.0.0.1:6881'
const nobody = new Set<string>()

/** Times at which the address is dialed, each connection ending `lasts` seconds after it is made. */
function dials(lasts: number, until: number, fixed = true): number[] {
  const list = new PeerList()
  list.add(address, fixed)
  const times: number[] = []
  for (let now = 0; now < until; now += 0.05) {
    if (list.due(now, 1, nobody, () => 0).length === 0) continue
    times.push(now)
    list.dialing(address)
    list.connected(address, now)
    now += lasts
    list.ended(address, now)
  }
  return times
}

test('a peer that closes every connection at once is dialed less and less', () => {
  expect(dials(0, 60).length).toBeLessThan(25)
  expect(dials(0, 60, false)).toHaveLength(6)
})

test('a connection that lasted is dialed again soon', () => {
  const times = dials(10, 60, false)
  expect(times.length).toBeGreaterThan(4)
  for (const [i, time] of times.slice(1).entries()) expect(time - (times[i] ?? 0)).toBeLessThan(10.5)
})

test('an address that is ours is never dialed again', () => {
  const list = new PeerList()
  list.add(address)
  list.forbid(address)
  list.add(address)
  expect(list.due(0, 10, nobody, () => 0)).toEqual([])
})

test('partners are dialed whatever room there is, until others take their place', () => {
  const list = new PeerList()
  for (let host = 1; host <= 5; host++) list.add(`10.0.0.${host}:1`)
  list.setPartners(new Set(['10.0.0.4:1', '10.0.0.9:1']))
  expect(list.due(0, 0, nobody, () => 0)).toEqual(['10.0.0.4:1', '10.0.0.9:1'])
  expect(list.due(0, 1, nobody, () => 0)).toHaveLength(3)
  list.setPartners(new Set(['10.0.0.5:1']))
  expect(list.due(0, 0, nobody, () => 0)).toEqual(['10.0.0.5:1'])
})
