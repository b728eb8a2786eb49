import { describe, expect, test } from 'vitest'
import { PieceArrivals } from '../../../src/torrent/piece-arrivals.ts'

describe('from whom pieces came', () => {
  test('each piece, and which was the last', () => {
    const arrivals = new PieceArrivals(3)
    arrivals.came(2, 'seeder', 1)
    arrivals.came(0, '10.0.0.2:1', 2)
    expect([...arrivals.kept()]).toEqual([
      { piece: 0, source: '10.0.0.2:1', atS: 2 },
      { piece: 2, source: 'seeder', atS: 1 },
    ])
    expect(arrivals.last).toEqual({ piece: 0, source: '10.0.0.2:1', atS: 2 })
  })

  test('of very many pieces a bounded part is kept, and the last one all the same', () => {
    const arrivals = new PieceArrivals(20_000)
    for (let piece = 0; piece < 20_000; piece++) arrivals.came(piece, 'seeder', piece)
    const kept = [...arrivals.kept()]
    expect(kept).toHaveLength(1000)
    expect(kept.every(({ piece }) => piece % arrivals.every === 0)).toBe(true)
    expect(arrivals.last).toEqual({ piece: 19_999, source: 'seeder', atS: 19_999 })
  })

  test('more sources than can be told apart are left out', () => {
    const arrivals = new PieceArrivals(300)
    for (let piece = 0; piece < 300; piece++) arrivals.came(piece, `10.0.${piece}.1`, piece)
    expect([...arrivals.kept()]).toHaveLength(255)
  })
})
