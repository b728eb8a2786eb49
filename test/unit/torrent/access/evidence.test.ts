import { expect, test } from 'vitest'
import { Evidence } from '../../../../src/torrent/access/evidence.ts'

const digests = (...texts: string[]) => texts.map((text) => Buffer.from(text))

test('the right piece shows who has sent something else, and nobody else', () => {
  const evidence = new Evidence<string>()
  evidence.wrong(3, ['bad', 'good', 'good'], digests('x', 'b', 'c'))
  evidence.wrong(3, ['good', 'worse', undefined], digests('a', 'y', 'z'))
  expect(evidence.has(3)).toBe(true)
  expect([...evidence.right(3, digests('a', 'b', 'c'))]).toEqual(['bad', 'worse'])
  expect(evidence.has(3)).toBe(false)
  expect([...evidence.right(4, digests('a'))]).toEqual([])
})

test('is bounded', () => {
  const evidence = new Evidence<string>()
  for (let piece = 0; piece < 1000; piece++) evidence.wrong(piece, ['bad'], digests('x'))
  expect([0, 743, 744, 999].map((piece) => evidence.has(piece))).toEqual([false, false, true, true])
})
