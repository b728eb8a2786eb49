import { describe, expect, test } from 'vitest'
import { PieceTrail } from '../../../src/torrent/piece-trail.ts'

describe('from whom pieces came', () => {
  test('each piece, and which was the last', () => {
    const trail = new PieceTrail(3)
    trail.came(2, 'seeder', 1)
    trail.came(0, '10.0.0.2:1', 2)
    expect([...trail.kept()]).toEqual([
      { piece: 0, source: '10.0.0.2:1', atS: 2 },
      { piece: 2, source: 'seeder', atS: 1 },
    ])
    expect(trail.last).toEqual({ piece: 0, source: '10.0.0.2:1', atS: 2 })
  })

  test('of very many pieces a bounded part is kept, and the last one all the same', () => {
    const trail = new PieceTrail(20_000)
    for (let piece = 0; piece < 20_000; piece++) trail.came(piece, 'seeder', piece)
    const kept = [...trail.kept()]
    expect(kept).toHaveLength(1000)
    expect(kept.every(({ piece }) => piece % trail.every === 0)).toBe(true)
    expect(trail.last).toEqual({ piece: 19_999, source: 'seeder', atS: 19_999 })
  })

  test('more sources than can be told apart are left out', () => {
    const trail = new PieceTrail(300)
    for (let piece = 0; piece < 300; piece++) trail.came(piece, `10.0.${piece}.1`, piece)
    expect([...trail.kept()]).toHaveLength(255)
  })
})
