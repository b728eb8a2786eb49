import { describe, expect, it } from 'vitest'
import { MetadataUploadPolicy } from '../../../../src/torrent/metadata/upload-policy.ts'

const agent = (id: number) => ({ id, isAgent: true })
const stranger = (id: number) => ({ id, isAgent: false })

/** Who asks for which piece at which second, and whether it gets it. */
type Step = [id: number, piece: number, atS: number, gets: boolean]

describe('a seeder gives metadata', () => {
  const cases: [string, Step[]][] = [
    [
      'each piece to one agent at first',
      [
        [1, 0, 0, true],
        [2, 0, 0.1, false],
        [2, 1, 0.1, true],
        [1, 1, 0.3, false],
      ],
    ],
    [
      'to another that has asked twice before',
      [
        [1, 0, 0, true],
        [2, 0, 5, false],
        [2, 0, 5.1, false],
        [2, 0, 5.3, true],
      ],
    ],
    [
      'to the same one again',
      [
        [1, 0, 0, true],
        [1, 0, 0.1, true],
      ],
    ],
    [
      'to another after a quarter of a second, then after less and less',
      [
        [1, 0, 0, true],
        ...[2, 3, 4].flatMap((id): Step[] => [
          [id, 0, 0, false],
          [id, 0, 0.1, false],
        ]),
        [2, 0, 0.24, false],
        [2, 0, 0.25, true],
        [3, 0, 0.35, false],
        [3, 0, 0.375, true],
        [4, 0, 0.43, false],
        [4, 0, 0.4375, true],
      ],
    ],
    [
      'twice to one connection, and no more',
      [
        [1, 0, 0, true],
        [1, 1, 0, true],
        [1, 0, 0, true],
        [1, 1, 0, true],
        [1, 0, 9, false],
      ],
    ],
  ]
  it.each(cases)('%s', (_, steps) => {
    const giving = new MetadataUploadPolicy(2, true)
    const got = steps.map(([id, piece, atS]) => giving.gives(agent(id), piece, atS))
    expect(got).toEqual(steps.map(([, , , gets]) => gets))
  })

  it('to another at once when the first has left', () => {
    const giving = new MetadataUploadPolicy(1, true)
    giving.gives(agent(1), 0, 0)
    giving.leave(1)
    expect(giving.gives(agent(2), 0, 0.1)).toBe(true)
  })

  it('to other clients always, which pass nothing on to agents', () => {
    const giving = new MetadataUploadPolicy(1, true)
    expect([1, 2, 3].map((id) => giving.gives(stranger(id), 0, 0))).toEqual([true, true, true])
    expect(giving.gives(agent(4), 0, 0)).toBe(true)
  })
})

it('a peer gives metadata to everyone, twice', () => {
  const giving = new MetadataUploadPolicy(1, false)
  const got = [1, 2, 3, 1, 1].map((id) => giving.gives(agent(id), 0, 0))
  expect(got).toEqual([true, true, true, true, false])
})
