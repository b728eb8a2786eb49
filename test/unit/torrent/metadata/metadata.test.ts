import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { Metadata } from '../../../../src/torrent/metadata/metadata.ts'

const info = randomBytes(40_000)
const digest = (algorithm: string) => createHash(algorithm).update(info).digest('hex')
const wanted = { size: info.length, infoHash: digest('sha1'), sha256: digest('sha256') }
const pieces = [info.subarray(0, 16_384), info.subarray(16_384, 32_768), info.subarray(32_768)]

it('is given piece by piece', () => {
  const metadata = Metadata.of(info)
  expect(metadata.pieceCount).toBe(3)
  expect([0, 1, 2, 3].map((piece) => metadata.piece(piece))).toEqual([...pieces, undefined])
  expect(metadata.bitfield).toBeUndefined()
})

it('is put together in any order, shown as far as it is here, and verified', () => {
  const metadata = Metadata.missing(wanted)
  expect([2, 0].map((piece) => metadata.put(piece, pieces[piece] as Buffer))).toEqual([true, true])
  expect([metadata.bitfield, metadata.piece(1), metadata.info]).toEqual([
    Uint8Array.of(0b1010_0000),
    undefined,
    undefined,
  ])
  metadata.put(1, pieces[1] as Buffer)
  expect(metadata.verify()).toBe(true)
  expect(metadata.info).toEqual(info)
})

it.each([
  ['the infohash', { infoHash: '00'.repeat(20) }],
  ['the SHA-256, which no one can forge', { sha256: '00'.repeat(32) }],
])('is thrown away when %s is another', (_, other) => {
  const metadata = Metadata.missing({ ...wanted, ...other })
  for (const [index, piece] of pieces.entries()) metadata.put(index, piece)
  expect(metadata.verify()).toBe(false)
  expect([metadata.info, metadata.piece(0)]).toEqual([undefined, undefined])
})

it.each([
  ['too long', 0, 16_385],
  ['too short', 1, 16_383],
  ['of another length than the last', 2, 16_384],
  ['beyond the end', 3, 0],
])('takes no piece that is %s', (_, index, length) => {
  expect(Metadata.missing(wanted).put(index, Buffer.alloc(length))).toBe(false)
})
