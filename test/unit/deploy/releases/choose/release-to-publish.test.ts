import { describe, expect, test } from 'vitest'
import {
  releaseToPublish,
  whyNotIntact,
  whyUnpublishable,
} from '../../../../../src/deploy/releases/choose/release-to-publish.ts'

const brought = { tag: 'brought', sha256: 'aa', when: '2026-01-02T03:04:05.000Z' }

describe('what a publication alone is about', () => {
  test.each([
    ['what was brought last', undefined, undefined, { release: 'brought', by: 'murder:peer', sha256: 'aa' }],
    ['the tag', undefined, 'other', { release: 'other', by: 'murder:peer' }],
    [
      'the tag, which was brought last',
      undefined,
      'brought',
      { release: 'brought', by: 'murder:peer', sha256: 'aa' },
    ],
    ['what the shipitfile names', '20260101000000', 'other', { release: '20260101000000', by: 'shipitfile' }],
  ])('%s', (_, named, tag, wanted) => {
    expect(releaseToPublish(named, tag, brought, 'staging')).toEqual(wanted)
  })

  test.each<unknown>([undefined, null, 1796015942, '', '.', '..', 'a/b', '.a.partial'])(
    'nothing, where %j is named',
    (named) => {
      const error = {
        code: 'NOTHING_TO_PUBLISH',
        exitCode: 2,
        message: expect.stringMatching(/^Nothing to publish: /),
      }
      expect(() => releaseToPublish(named, undefined, undefined, 'staging')).toThrow(
        expect.objectContaining(error),
      )
    },
  )
})

describe('a server can publish it', () => {
  const wanted = { release: '1', by: 'murder:peer' } as const
  test.each([
    ['the same package', { isThere: true, sha256: 'aa' }, undefined],
    ['nothing', { isThere: false, sha256: undefined }, 'releases/1 is not there'],
    ['nothing but the note', { isThere: false, sha256: 'aa' }, 'releases/1 is not there'],
    ['a deploy', { isThere: true, sha256: undefined }, 'was not brought by murder:peer'],
    ['another package', { isThere: true, sha256: 'bb' }, 'is made of another package'],
  ])('where there is %s', (_, found, cause) => {
    const fault = whyUnpublishable(wanted, found, 'aa', 'staging')
    expect(fault?.cause).toEqual(cause && expect.stringContaining(cause))
  })

  test('where it is there, if the shipitfile names it', () => {
    const named = { release: '1', by: 'shipitfile' } as const
    expect(
      whyUnpublishable(named, { isThere: true, sha256: undefined }, undefined, 'staging'),
    ).toBeUndefined()
    expect(
      whyUnpublishable(named, { isThere: false, sha256: undefined }, undefined, 'staging'),
    ).toMatchObject({
      cause: 'releases/1 is not there',
    })
  })
})

describe('a server has it as it was brought', () => {
  test.each<[Parameters<typeof whyNotIntact>[1], RegExp | undefined]>([
    [{ state: 'compared', changed: undefined }, undefined],
    [{ state: 'no-note', changed: undefined }, undefined],
    [{ state: 'compared', changed: 'a is missing' }, /^releases\/1 is not what was brought: a is missing$/],
    [{ state: 'no-agent', changed: undefined }, /the agent is not there$/],
  ])('%j', (intact, cause) => {
    const why = whyNotIntact('1', intact, 'staging')
    if (cause) expect(why?.cause).toMatch(cause)
    else expect(why).toBeUndefined()
  })
})
