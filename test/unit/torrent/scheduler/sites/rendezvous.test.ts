import { expect, test } from 'vitest'
import { hashOf, KnownShares, sharesOf } from '../../../../../src/torrent/scheduler/sites/rendezvous.ts'

const PIECES = 200
const named = (names: string) => [...names].map(hashOf)

test('shares are of equal size, and all that know the same candidates agree, in whatever order', () => {
  for (const names of ['ab', 'abcd', 'abcdefgh']) {
    const candidates = named(names)
    const shares = sharesOf(candidates, PIECES)
    const sizes = candidates.map((_, at) => shares.filter((share) => share === at).length)
    expect(Math.max(...sizes) - PIECES / candidates.length).toBeLessThan(5)
    const reversed = sharesOf([...candidates].reverse(), PIECES)
    expect([...reversed].map((at) => candidates.length - 1 - at)).toEqual([...shares])
  }
})

test('what is known of shares is what they are, whoever comes, goes or changes places', () => {
  const known = new KnownShares(PIECES)
  for (const names of ['', 'a', 'ab', 'ab', 'ba', 'abc', 'bc', 'bd', 'bd', '', 'a'])
    expect(known.of(named(names))).toEqual(sharesOf(named(names), PIECES))
  expect(known.of(named('ab'))).toBe(known.of(named('ab')))
})
