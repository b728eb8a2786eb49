import { expect, test } from 'vitest'
import { basesOf, type Delivered, isStaged, releaseOf } from '../../../../src/deploy/deltas/bases.ts'

const live = { release: '1', id: 'x' }
const has = (base?: string, staged?: Delivered['staged']): Delivered => ({
  base,
  staged,
  currentRelease: '1',
})

test.each<[string, Delivered, (typeof live)[]]>([
  ['the live release', has('x'), [live]],
  [
    'what was staged, and the live release',
    has('x', { release: '2', base: 'y' }),
    [{ release: '2', id: 'y' }, live],
  ],
  [
    'what was staged, where the live one is the same',
    has('x', { release: '2', base: 'x' }),
    [{ release: '2', id: 'x' }],
  ],
  ['not what was staged without a note', has('x', { release: '2', base: undefined }), [live]],
  [
    'what was staged, where nothing is live',
    { base: undefined, currentRelease: undefined, staged: { release: '2', base: 'y' } },
    [{ release: '2', id: 'y' }],
  ],
  ['nothing', has(), []],
])('a release can be made of %s', (_, found, bases) => {
  expect(basesOf(found)).toEqual(bases)
})

test('without deltas only what was staged is used', () => {
  expect(basesOf(has('x', { release: '2', base: 'y' }), { deltas: false })).toEqual([
    { release: '2', id: 'y' },
  ])
  expect(basesOf(has('x'), { deltas: false })).toEqual([])
})

test('a base is found by what was delivered as it', () => {
  const found = has('x', { release: '2', base: 'y' })
  expect(['x', 'y', 'z'].map((id) => releaseOf(found, id))).toEqual(['1', '2', undefined])
  expect(['x', 'y', 'z'].map((id) => isStaged(found, id))).toEqual([false, true, false])
  expect(releaseOf(undefined, 'x')).toBeUndefined()
  expect(isStaged(undefined, 'x')).toBe(false)
})
