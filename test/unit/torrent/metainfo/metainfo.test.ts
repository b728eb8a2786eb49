import { createHash } from 'node:crypto'
import bencode from 'bencode'
import { describe, expect, test } from 'vitest'
import { encodeMetainfo, parseMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'

const pieces = Buffer.alloc(40, 7)
const good = { name: 'data', pieceLength: 16384, pieces, content: 20_000, trackers: ['http://t:1/announce'] }

test('a torrent of one file comes back as it was made', () => {
  expect(parseMetainfo(encodeMetainfo(good))).toMatchObject({
    ...{ name: 'data', length: 20_000, pieceLength: 16384, singleFile: true, private: true },
    ...{ trackers: ['http://t:1/announce'], files: [{ path: ['data'], length: 20_000 }] },
  })
})

test('the infohash is the SHA-1 of the info dictionary as it stands in the file', () => {
  // Keys out of order: another program may have written it so, and its hash is what the swarm knows.
  const info = Buffer.concat([
    Buffer.from('d12:piece lengthi16384e4:name4:data6:lengthi20000e6:pieces40:'),
    pieces,
    Buffer.from('e'),
  ])
  const file = Buffer.concat([Buffer.from('d7:comment4:info4:info'), info, Buffer.from('e')])
  expect(parseMetainfo(file).infoHash).toBe(createHash('sha1').update(info).digest('hex'))
})

test('a directory keeps its files in order', () => {
  const content = [
    { path: ['a', 'b'], length: 20_000 },
    { path: ['c'], length: 0 },
  ]
  const parsed = parseMetainfo(encodeMetainfo({ ...good, content }))
  expect(parsed).toMatchObject({ files: content, singleFile: false, length: 20_000 })
})

test('names of devices are plain names outside of Windows', () => {
  const content = [{ path: ['aux', 'con', 'nul'], length: 20_000 }]
  expect(parseMetainfo(encodeMetainfo({ ...good, content })).files).toEqual(content)
})

describe('a bad torrent from the network is refused with one line', () => {
  const directory = (...path: string[]) => encodeMetainfo({ ...good, content: [{ path, length: 20_000 }] })
  const info = (change: Record<string, unknown>) =>
    Buffer.from(
      bencode.encode({
        info: { name: 'data', 'piece length': 16384, pieces, length: 20_000, ...change } as never,
      }),
    )
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from('not a torrent')],
    ['a list', Buffer.from('le')],
    ['the first half', encodeMetainfo(good).subarray(0, 60)],
    ['no info', Buffer.from('d1:ai1ee')],
    ['a path that goes up', directory('..', 'etc', 'passwd')],
    ['an absolute part', directory('/etc/passwd')],
    ['a NUL in a path', directory('a\0b')],
    ['pieces of 128 MiB', info({ 'piece length': 2 ** 27, length: 2 ** 28, pieces })],
    ['a name that goes up', info({ name: '..' })],
    ['v2 only', info({ pieces: undefined, 'meta version': 2, 'file tree': {} })],
    ['too few hashes', info({ pieces: pieces.subarray(0, 20) })],
    ['a negative length', info({ length: -1 })],
    ['pieces of length 0', info({ 'piece length': 0 })],
    [
      'a file twice',
      encodeMetainfo({
        ...good,
        content: [
          { path: ['a'], length: 10_000 },
          { path: ['a'], length: 10_000 },
        ],
      }),
    ],
  ])('%s', (_what, bytes) => {
    expect(() => parseMetainfo(bytes)).toThrow(expect.objectContaining({ code: 'BAD_TORRENT', exitCode: 2 }))
  })
})
