import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { PieceHasher } from '../../../../src/torrent/metainfo/piece-hasher.ts'

const PIECE_BYTES = 600_000
const zeros = Buffer.alloc(PIECE_BYTES)
const some = randomBytes(PIECE_BYTES)

/** SHA-1 of each piece, computed plainly. */
const plainly = (content: Buffer) =>
  Buffer.concat(
    Array.from({ length: Math.ceil(content.length / PIECE_BYTES) }, (_, piece) =>
      createHash('sha1')
        .update(content.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES))
        .digest(),
    ),
  )

test.each<[string, Buffer[]]>([
  ['nothing', []],
  ['zeros', [zeros, zeros, zeros.subarray(0, 77)]],
  ['content', [some, some, some.subarray(0, 77)]],
  ['zeros, then content', [zeros, zeros.subarray(0, 1000), some, zeros]],
  ['content, then zeros', [some.subarray(0, 1000), zeros, zeros, some]],
  ['one byte at the end of a piece', [zeros.subarray(1), Buffer.from([7]), zeros]],
])('pieces of %s have the hashes of their bytes, in chunks of any length', (_, parts) => {
  const content = Buffer.concat(parts)
  for (const length of [100, 65_536, PIECE_BYTES, 2 * PIECE_BYTES + 1]) {
    const hasher = new PieceHasher(PIECE_BYTES)
    for (let at = 0; at < content.length; at += length) hasher.update(content.subarray(at, at + length))
    expect(hasher.finish().equals(plainly(content))).toBe(true)
  }
})
