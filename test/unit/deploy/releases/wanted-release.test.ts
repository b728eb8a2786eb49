import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  faultOf,
  lookScript,
  parseLook,
  wantedRelease,
} from '../../../../src/deploy/releases/wanted-release.ts'

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
    expect(wantedRelease(named, tag, brought, 'staging')).toEqual(wanted)
  })

  test.each([undefined, '', '.', '..', 'a/b', '.a.partial'])('nothing, where %j is named', (named) => {
    const error = {
      code: 'NOTHING_TO_PUBLISH',
      exitCode: 2,
      message: expect.stringMatching(/^Nothing to publish: /),
    }
    expect(() => wantedRelease(named, undefined, undefined, 'staging')).toThrow(
      expect.objectContaining(error),
    )
  })
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
    const fault = faultOf(wanted, found, 'aa', 'staging')
    expect(fault?.cause).toEqual(cause && expect.stringContaining(cause))
  })

  test('where it is there, if the shipitfile names it', () => {
    const named = { release: '1', by: 'shipitfile' } as const
    expect(faultOf(named, { isThere: true, sha256: undefined }, undefined, 'staging')).toBeUndefined()
    expect(faultOf(named, { isThere: false, sha256: undefined }, undefined, 'staging')).toMatchObject({
      cause: 'releases/1 is not there',
    })
  })
})

describe('looking at a server', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "it's "))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const look = (release: string, deployTo = root) =>
    parseLook(
      execFileSync('sh', ['-c', lookScript(deployTo, join(root, 'murder'), release)], { encoding: 'utf8' }),
    )
  const nothing = {
    isThere: false,
    sha256: undefined,
    revision: undefined,
    live: undefined,
    liveRevision: undefined,
  }

  test('finds nothing where nothing is', () => {
    expect(look('1')).toEqual(nothing)
    expect(look('1', join(root, 'missing'))).toEqual(nothing)
    expect(() => look('')).toThrow('Nothing to publish')
  })

  test.each(['-n', '1', "it's $(x)"])('finds %s, its package and what is live', (release) => {
    mkdirSync(join(root, 'murder/unpacked'), { recursive: true })
    writeFileSync(join(root, 'murder/unpacked', release), 'aa\n')
    mkdirSync(join(root, 'releases', release), { recursive: true })
    expect(look(release)).toEqual({ ...nothing, sha256: 'aa' }) // still empty
    writeFileSync(join(root, 'releases', release, 'REVISION'), 'new\n')
    mkdirSync(join(root, 'releases/old'))
    writeFileSync(join(root, 'releases/old/REVISION'), 'old')
    symlinkSync('releases/old', join(root, 'current'))
    expect(look(release)).toEqual({
      ...{ isThere: true, sha256: 'aa', revision: 'new', live: 'old', liveRevision: 'old' },
    })
  })

  test('a link to all releases is to none', () => {
    mkdirSync(join(root, 'releases/1'), { recursive: true })
    symlinkSync('releases/', join(root, 'current'))
    expect(look('1').live).toBeUndefined()
  })
})
