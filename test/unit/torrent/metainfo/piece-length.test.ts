import { expect, test } from 'vitest'
import { choosePieceLength } from '../../../../src/torrent/metainfo/piece-length.ts'

const KIB = 1024
const MIB = 1024 * KIB

test.each([
  ['20 MB to one: few hashes, as nobody passes anything on', 20e6, 1, 256 * KIB],
  ['20 MB to four', 20e6, 4, 64 * KIB],
  ['20 MB to many: the smallest pieces', 20e6, 12, 32 * KIB],
  ['20 MB to hundreds', 20e6, 500, 32 * KIB],
  ['1 GB to one: a slow line still brings one in time', 1e9, 1, 2 * MIB],
  ['1 GB to four', 1e9, 4, 2 * MIB],
  ['1 GB to twelve', 1e9, 12, MIB],
  ['1 GB to hundreds: the smallest that keep the torrent short', 1e9, 500, 64 * KIB],
  ['50 GB', 50e9, 4, 8 * MIB],
  ['nothing to nobody', 0, 0, 32 * KIB],
])('%s', (_, bytes, peers, length) => {
  expect(choosePieceLength(bytes, peers)).toBe(length)
})
