import { describe, expect, it } from 'vitest'
import { packHosts, unpackHosts } from '../../../src/protocol/host-list.ts'
import type { ReceiveOrder } from '../../../src/protocol/order.ts'
import { parseOrder } from '../../../src/protocol/parse-order.ts'

const order: ReceiveOrder = {
  tag: '20260102030405',
  torrent: 'ZA==',
  sha256: 'ab'.repeat(32),
  directory: '/srv/app/shared/murder/tmp/20260102030405',
  trackers: [],
  peers: ['10.0.0.1:6881'],
  ports: [6881, 6999],
  fleet: 3,
  linger: 30,
  uploadLimit: 0,
  downloadLimit: 0,
  timeouts: { connect: 60, stall: 120, total: 0 },
}
const magnet = {
  infoHash: 'cd'.repeat(20),
  sha256: 'ef'.repeat(32),
  size: 5000,
  name: 'package',
  length: 8_000_000,
  pieceLength: 32_768,
}
const unpack = { into: '/srv/app/releases/20260102030405', compression: 'zstd' } as const
const parse = (changes: object) => () => parseOrder(JSON.stringify({ ...order, ...changes }))

describe('an order', () => {
  it('is taken as it is', () => {
    expect(parse({})()).toEqual(order)
    const place = { path: '/srv/file', name: 'file', mode: 0o644, mtime: 0 }
    expect(parse({ unpack, place })()).toEqual({ ...order, unpack, place })
  })

  it('has the addresses of the fleet in few bytes', () => {
    const hosts = Array.from({ length: 1000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
    const packed = packHosts([...hosts, 'fe80::1', '10.9.0.0/16'])
    expect(packed.length).toBeLessThan(5000)
    expect(parse({ hosts: packed })()).toEqual({ ...order, hosts: packed })
    expect(unpackHosts(packed).sort()).toEqual([...hosts, 'fe80::1', '10.9.0.0/16'].sort())
  })

  it('has a magnet in place of a long torrent', () => {
    const { torrent: _, ...byMagnet } = { ...order, magnet }
    expect(parseOrder(JSON.stringify(byMagnet))).toEqual(byMagnet)
  })

  it.each([
    ['tag', { tag: 5 }],
    ['torrent', { torrent: undefined }],
    ['hosts', { hosts: 'AAAA' }],
    ['hosts', { hosts: ['10.0.0.1'] }],
    ['magnet.infoHash', { magnet: { ...magnet, infoHash: 'cd' } }],
    ['magnet.size', { magnet: { ...magnet, size: 0 } }],
    ['magnet.pieceLength', { magnet: { ...magnet, pieceLength: 0.5 } }],
    ['directory', { directory: 'tmp' }],
    ['ports', { ports: [6881] }],
    ['trackers', { trackers: ['a\0b'] }],
    ['timeouts.stall', { timeouts: { connect: 1, total: 1 } }],
    ['unpack.existing', { unpack: { ...unpack, existing: 'overwrite' } }],
    ['place.mode', { place: { path: '/srv/file', name: 'file', mtime: 0 } }],
  ])('is refused for a wrong %s', (key, changes) => {
    expect(parse(changes)).toThrow(
      expect.objectContaining({
        code: 'BAD_ORDER',
        exitCode: 2,
        message: expect.stringContaining(`'${key}'`),
      }),
    )
  })

  it.each(['../up', 'a b', '.hidden', '', 'a'.repeat(121)])('is refused for the tag %j', (tag) => {
    expect(parse({ tag })).toThrow(expect.objectContaining({ code: 'BAD_ORDER' }))
  })
})
