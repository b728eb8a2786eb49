import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  findReleaseScript,
  parseFoundRelease,
} from '../../../../../src/deploy/scripts/releases/find-release-script.ts'

describe('looking for a release on a server', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "it's "))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const look = (release: string, deployTo = root) =>
    parseFoundRelease(
      execFileSync('sh', ['-c', findReleaseScript(deployTo, join(root, 'murder'), release)], {
        encoding: 'utf8',
      }),
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
