import { expect, test } from 'vitest'
import { BanList } from '../../../../src/torrent/access/ban-list.ts'

const peer = (remoteHost: string, id: number) => ({
  peerId: `id ${id}`,
  remoteHost,
  address: `${remoteHost}:${7000 + id}`,
})

test('a server of its own address is banned whatever its peer id is', () => {
  const list = new BanList(() => false)
  expect(list.add(peer('10.0.0.1', 1))).toBe(true)
  expect(list.has(peer('10.0.0.1', 2))).toBe(true)
  expect(list.hasAddress('10.0.0.1', '10.0.0.1:1')).toBe(true)
  expect(list.add(peer('10.0.0.1', 2))).toBe(false)
  expect(list.has(peer('10.0.0.2', 1.5))).toBe(false)
})

test('where several share an address only the peer is banned, and all of them after three', () => {
  const list = new BanList(() => true)
  for (const id of [1, 2]) {
    list.add(peer('10.0.0.1', id))
    expect(list.has(peer('10.0.0.1', id))).toBe(true)
    expect(list.has(peer('10.0.0.1', 9))).toBe(false)
  }
  list.add(peer('10.0.0.1', 3))
  expect(list.has(peer('10.0.0.1', 9))).toBe(true)
})
