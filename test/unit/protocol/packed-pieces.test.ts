import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  type PieceArrival,
  packPieces,
  slotErrorS,
  unpackPieces,
} from '../../../src/protocol/packed-pieces.ts'

/** The same numbers each time. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

function arrivals(count: number, sources: number): PieceArrival[] {
  const random = numbers(count + sources)
  return Array.from({ length: count }, (_, piece) => ({
    piece,
    source: `10.0.0.${Math.floor(random() * sources)}:49200`,
    atS: 10 + random() * 20,
  }))
}

const frameOf = (pieceCount: number, every = 1) => ({ beganS: 10, endedS: 30, every, pieceCount })

describe('pieces as they are sent', () => {
  test.each([1, 2, 8, 24, 60])('1,000 pieces from %i sources in any order take less than 1 KB', (sources) => {
    const packed = packPieces(arrivals(1000, sources), frameOf(1000))
    expect(Buffer.from(packed, 'base64').length).toBeLessThanOrEqual(1024)
  })

  test.each([1, 3, 8, 24])('from %i sources they come out as they went in, but for the times', (sources) => {
    const all = arrivals(500, sources)
    const found = unpackPieces(packPieces(all, frameOf(500)), frameOf(500)) ?? []
    expect(found.map(({ piece, source }) => [piece, source])).toEqual(
      all.map(({ piece, source }) => [piece, source]),
    )
    const error = slotErrorS(frameOf(500), sources)
    for (const [place, { atS }] of found.entries())
      expect(Math.abs(atS - (all[place]?.atS ?? 0))).toBeLessThanOrEqual(error + 1e-9)
  })

  test('what did not come is left out, and so are the rarest of many sources', () => {
    const [first, ...others] = arrivals(200, 40)
    const found = unpackPieces(packPieces(others, frameOf(200)), frameOf(200)) ?? []
    expect(found.map(({ piece }) => piece)).not.toContain(first?.piece)
    expect(new Set(found.map(({ source }) => source)).size).toBe(24)
  })

  test('of many pieces some are told', () => {
    const some = arrivals(10, 2).map((each) => ({ ...each, piece: each.piece * 3 }))
    const found = unpackPieces(packPieces(some, frameOf(30, 3)), frameOf(30, 3))
    expect(found?.map(({ piece }) => piece)).toEqual(some.map(({ piece }) => piece))
  })

  test('none at all', () => {
    expect(unpackPieces(packPieces([], frameOf(3)), frameOf(3))).toEqual([])
  })

  const packed = (text: string) => deflateRawSync(Buffer.from(text)).toString('base64')
  test.each<[string, unknown]>([
    ['no text', 1],
    ['no base64', '\u0000'],
    ['no deflated bytes', 'AAAA'],
    ['too long a text', 'A'.repeat(9000)],
    ['bytes that become too many', packed('a'.repeat(1_000_000))],
    ['no list of sources', packed('abc')],
    ['too few pieces', packed('a\n\n\u0001')],
    ['too many pieces', packed('a\n\n\u0001\u0001\u0001\u0001')],
    ['too many sources', packed(`${'a\n'.repeat(30)}\n\u0001\u0001\u0001`)],
    ['too long a source', packed(`${'a'.repeat(200)}\n\n\u0001\u0001\u0001`)],
  ])('%s is no list of pieces', (_, content) => {
    expect(unpackPieces(content, frameOf(3))).toBeUndefined()
  })
})
