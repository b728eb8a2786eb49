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
  const MOST = 1024
  const random = numbers(7)
  const any = (count: number) => Math.floor(random() * count)
  const group = () => any(65_536).toString(16)
  const ipv4 = Array.from(
    { length: 255 },
    () => `${any(256)}.${any(256)}.${any(256)}.${any(256)}:${any(65_536)}`,
  )
  const ipv6 = Array.from(
    { length: 255 },
    () => `[${Array.from({ length: 8 }, group).join(':')}]:${any(65_536)}`,
  )
  const long = ipv6.map((name) => name.repeat(40))
  const orders: [string, (place: number, sources: number) => [source: number, share: number]][] = [
    ['one source after the other', (place, sources) => [Math.floor((place / MOST) * sources), place / MOST]],
    ['in turns', (place, sources) => [place % sources, place / MOST]],
    ['in turns, the last piece first', (place, sources) => [place % sources, 1 - place / MOST]],
    ['in any order', (_, sources) => [any(sources), random()]],
  ]
  const cases = orders.flatMap(([order, at]) =>
    [1, 2, 8, 24, 60, 255].map((sources) => ({ order, at, sources })),
  )

  test.each(cases)('pieces from $sources sources $order take 1 KB at most', ({ at, sources }) => {
    for (const names of [ipv4, ipv6, long]) {
      const all = Array.from({ length: MOST }, (_, piece): PieceArrival => {
        const [source, share] = at(piece, sources)
        return { piece, source: names[source] ?? '', atS: 10 + share * 20 }
      })
      const packed = packPieces(all, frameOf(MOST))
      expect(Buffer.from(packed, 'base64').length).toBeLessThanOrEqual(1024)
      const found = unpackPieces(packed, frameOf(MOST)) ?? []
      for (const { piece, source } of found) expect(source).toBe(all[piece]?.source)
      if (names !== long)
        expect(new Set(found.map(({ source }) => source)).size).toBeGreaterThanOrEqual(Math.min(sources, 4))
    }
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
    ['too long a text', 'A'.repeat(1400)],
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
