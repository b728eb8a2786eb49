import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fuzz, noise } from '../../../support/fuzz.ts'
import { plant, type Tree, temporary } from '../../package/trees.ts'
import { look, PIECE, torrentOf, UNIT } from './reuse-harness.ts'

/** The last block is not whole. */
const image = randomBytes(20 * UNIT + 5000)
const LAST = 5000

const changedAt = (bytes: Buffer, ...places: number[]) => {
  const changed = Buffer.from(bytes)
  for (const at of places) changed[at] = (changed[at] as number) ^ 1
  return changed
}
const without = (bytes: Buffer, from: number, to: number) =>
  Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])

test.each<[what: string, before: Buffer, after: Buffer, missing: number]>([
  ['nothing changed', image, image, 0],
  ['a byte changed', changedAt(image, 3 * UNIT), image, UNIT],
  [
    'a byte changed in two blocks of a piece and in another piece',
    changedAt(image, 0, UNIT, PIECE),
    image,
    3 * UNIT,
  ],
  ['a byte at the start is new', image.subarray(1), image, UNIT + LAST],
  ['a byte in the middle is new', without(image, PIECE + 7, PIECE + 8), image, UNIT + LAST],
  ['a byte at the start is gone', Buffer.concat([Buffer.from('x'), image]), image, LAST],
  [
    'the start is the end, in a circle',
    Buffer.concat([image.subarray(5 * UNIT + 9), image.subarray(0, 5 * UNIT + 9)]),
    image,
    UNIT + LAST,
  ],
  ['content repeats', image.subarray(0, UNIT), Buffer.concat(Array(9).fill(image.subarray(0, UNIT))), 0],
  ['the file is shorter now', image, image.subarray(0, 6 * UNIT), 0],
  [
    'the file was longer by a copy of what is missing',
    Buffer.concat([changedAt(image, 0), image.subarray(0, UNIT)]),
    image,
    0,
  ],
  ['nothing is alike', randomBytes(image.length), image, image.length],
  ['nothing is here', Buffer.alloc(0), image, image.length],
  [
    'zeros are here as a hole',
    Buffer.alloc(0),
    Buffer.concat([image.subarray(0, UNIT), Buffer.alloc(5 * UNIT)]),
    UNIT,
  ],
])('of a file of which %s only blocks that changed are fetched', async (_, before, after, missing) => {
  expect(await look(before, after)).toMatchObject({ missing, isRight: true })
})

const small = Object.fromEntries(
  Array.from({ length: 60 }, (_, index) => [`${index}.txt`, randomBytes(300 + index * 97)]),
)
const below = (directory: string, tree: Tree): Tree =>
  Object.fromEntries(Object.entries(tree).map(([name, content]) => [`${directory}/${name}`, content]))

test.each<[what: string, before: Tree, after: Tree, from: Tree | undefined]>([
  ['a file has another name', { old: image }, { new: image }, undefined],
  ['a directory of small files has another name', below('old', small), below('new', small), undefined],
  ['the files are elsewhere', {}, below('new', small), below('some/where', small)],
  [
    'files have changed places',
    { a: image, b: small['9.txt'] as Buffer },
    { a: small['9.txt'] as Buffer, b: image },
    undefined,
  ],
])('of a directory in which %s nothing is fetched', async (_, before, after, from) => {
  expect(await look(before, after, from ? { from } : {})).toMatchObject({ missing: 0, isRight: true })
})

test('two large files that have changed places are not fetched', async () => {
  const other = randomBytes(9 * UNIT)
  const looked = await look({ a: image, b: other }, { a: other, b: image })
  expect(looked).toMatchObject({ isRight: true })
  expect(looked.missing).toBeLessThanOrEqual(UNIT)
})

test('of a small file that changed its block is fetched, and nothing of its neighbours but what is in that block', async () => {
  const after = { ...small, '30.txt': randomBytes(5000) }
  const { missing, isRight } = await look(small, after)
  expect(isRight).toBe(true)
  expect(missing).toBeLessThanOrEqual(2 * UNIT)
})

test.each([1, 2, 4])(
  'killed after %i pieces, it goes on with what it had and what it has not yet moved',
  async (pieces) => {
    const looked = await look(image.subarray(1), image, { interruptedAfter: pieces })
    expect(looked).toMatchObject({ missing: UNIT + LAST, isRight: true })
  },
)

test('a piece whose blocks all fit a signature that lies, but not its hash, is fetched whole', async () => {
  const before = changedAt(image, 2)
  const { signature } = await torrentOf(join(plant(temporary(), { before }), 'before'))
  const looked = await look(before, image, { lie: (bytes) => bytes.set(signature as Uint8Array) })
  expect(looked).toMatchObject({ missing: PIECE, missingPieces: [0] })
})

test('a signature of random bytes costs nothing but what it would have saved', async () => {
  const noise = { lie: (bytes: Buffer) => void randomBytes(bytes.length - 2).copy(bytes, 2) }
  expect(await look(image.subarray(1), image, noise)).toMatchObject({ missing: image.length, isRight: true })
})

test('random edits end in the right content, and cost no more than the blocks that they touch', () =>
  fuzz(8, async (next) => {
    let before = Buffer.from(image)
    let touched = 0
    for (let edits = 1 + next(3); edits > 0; edits--) {
      const at = next(before.length)
      const length = 1 + next(3000)
      const kind = next(3)
      if (kind === 0) before = changedAt(before, at)
      if (kind === 1) before = without(before, at, at + length)
      if (kind === 2)
        before = Buffer.concat([before.subarray(0, at), noise(length, next), before.subarray(at)])
      touched += 2
    }
    const { missing, isRight } = await look(before, image)
    expect(isRight).toBe(true)
    expect(missing).toBeLessThanOrEqual(touched * UNIT + LAST)
  }))
