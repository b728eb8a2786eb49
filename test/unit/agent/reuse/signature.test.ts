import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { BlockSearch } from '../../../../src/agent/reuse/block-search.ts'
import { readSignature, signerOf } from '../../../../src/agent/reuse/signature.ts'
import { bufferSource } from '../../../../src/package/delta/match/byte-source.ts'
import type { Metainfo } from '../../../../src/torrent/metainfo/metainfo.ts'
import { UNIT } from './reuse-harness.ts'

const metainfoOf = (length: number, pieceLength = 4 * UNIT) =>
  ({ length, pieceLength, files: [{ path: ['x'], length }] }) as unknown as Metainfo

function signatureOf(content: Buffer): Buffer {
  const signer = signerOf(4 * UNIT, content.length)
  for (let at = 0; at < content.length; at += 7001) signer.update(content.subarray(at, at + 7001))
  signer.fileEnds()
  return signer.finish()
}

const content = randomBytes(5 * UNIT + 100)

test('has 11 bytes for each block and 8 for each file', () => {
  expect(signatureOf(content)).toHaveLength(2 + 8 + 6 * 11)
})

test('has larger blocks where there are very many, but none larger than a piece', () => {
  expect(signerOf(2 ** 23, 2 ** 36).finish()[1]).toBe(16)
  expect(signerOf(2 ** 15, 2 ** 36).finish()[1]).toBe(15)
})

test.each<[why: string, change: (signature: Buffer) => Buffer, metainfo: Metainfo]>([
  [
    'another version',
    (bytes) => Buffer.concat([Buffer.from([2]), bytes.subarray(1)]),
    metainfoOf(content.length),
  ],
  [
    'blocks of 8 KiB',
    (bytes) => Buffer.concat([Buffer.from([1, 13]), bytes.subarray(2)]),
    metainfoOf(content.length),
  ],
  [
    'blocks of 2^200 bytes',
    (bytes) => Buffer.concat([Buffer.from([1, 200]), bytes.subarray(2)]),
    metainfoOf(content.length),
  ],
  ['blocks larger than pieces', (bytes) => bytes, metainfoOf(content.length, UNIT / 2)],
  ['a row too few', (bytes) => bytes.subarray(0, -11), metainfoOf(content.length)],
  ['a byte too many', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), metainfoOf(content.length)],
  ['nothing', () => Buffer.alloc(0), metainfoOf(content.length)],
])('with %s is refused', (_, change, metainfo) => {
  const read = () => readSignature(change(signatureOf(content)), metainfo)
  expect(read).toThrow(expect.objectContaining({ code: 'BAD_SIGNATURE' }))
})

const search = (signature: Buffer, count: number) =>
  new BlockSearch(
    readSignature(signature, metainfoOf(content.length)),
    Array.from({ length: count }, (_, block) => block),
  )

test('blocks are found at any offset, each once', () => {
  const source = Buffer.concat([Buffer.alloc(123), content, content])
  const found = [...search(signatureOf(content), 5).in(bufferSource(source))].flatMap((run) => run ?? [])
  expect(found).toEqual([0, 1, 2, 3, 4].map((block) => ({ offset: 123 + block * UNIT, blocks: [block] })))
})

test('a signature of which all places look like a block ends the search, and finds nothing wrong', () => {
  // The weak hash and the prefix are those of zeros, the rest is not.
  const signature = signatureOf(content)
  for (let block = 0; block < 5; block++) signature.fill(0, 10 + block * 11, 10 + block * 11 + 6)
  const looking = search(signature, 5)
  const zeros = bufferSource(Buffer.alloc(20 << 20))
  expect([...looking.in(zeros)].flatMap((run) => run ?? [])).toEqual([])
  expect(looking.isOver).toBe(true)
})
