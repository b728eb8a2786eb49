import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { halfMadeScript } from '../../../../../src/deploy/scripts/releases/clean-script.ts'
import { revertScript } from '../../../../../src/deploy/scripts/releases/publish-script.ts'
import {
  parseStuck,
  removeReleasesScript,
} from '../../../../../src/deploy/scripts/releases/remove-releases-script.ts'
import { undoScript } from '../../../../../src/deploy/scripts/releases/undo-script.ts'

const isRoot = process.getuid?.() === 0
const NOBODY = 65534
/** Not every file system has that flag. */
const canFreeze = (() => {
  const probe = mkdtempSync(join(tmpdir(), 'freeze-'))
  const done = isRoot && spawnSync('sh', ['-c', 'chattr +i "$0" && chattr -i "$0"', probe]).status === 0
  rmSync(probe, { recursive: true })
  return done
})()
const author = { who: 'ann@desk', when: '2026-01-02T03:04:05.678Z' }

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's \\ "))
  chmodSync(root, 0o755)
  for (const release of ['1', '2', '3']) {
    mkdirSync(join(root, 'releases', release, 'sub'), { recursive: true })
    writeFileSync(join(root, 'releases', release, 'sub/file'), '')
  }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const there = () => readdirSync(join(root, 'releases')).sort()

describe.each([
  ['dash', ['dash']],
  ['busybox', ['busybox', 'sh']],
])('with %s', (_, shell) => {
  const run = (words: string[], options = {}) =>
    execFileSync(words[0] as string, words.slice(1), { encoding: 'utf8', stdio: 'pipe', ...options })
  const remove = (...releases: string[]) =>
    parseStuck(run([...shell, '-c', removeReleasesScript(root, releases)]))

  test.each(['releases/2', './releases/../stable'])('removes releases, but not the live one: %s', (link) => {
    symlinkSync('releases/2', join(root, 'stable'))
    symlinkSync(link, join(root, 'current'))
    expect(remove('1', '2', '', '.', '..', '../releases', 'gone')).toEqual([])
    expect(there()).toEqual(['2', '3'])
  })

  test('what is read-only goes, and what a removal before has left', () => {
    chmodSync(join(root, 'releases/1/sub'), 0o500)
    mkdirSync(join(root, 'releases/.1.removed'))
    mkdirSync(join(root, 'releases/.0.removed'))
    expect(remove('1')).toEqual([])
    expect(there()).toEqual(['2', '3'])
  })

  describe.skipIf(!isRoot)('as root', () => {
    /** Runs a script where `/proc` tells of a bind mount in release 1, whose source is on the same file system. */
    const mounted = (script: string, at: string) => {
      mkdirSync(join(root, 'shared'))
      writeFileSync(join(root, 'shared/precious'), '')
      mkdirSync(join(root, at), { recursive: true })
      const mount = 'mount --bind "$0/shared" "$0/$1"; shift; exec "$@"'
      return run(['unshare', '-m', 'sh', '-c', mount, root, at, ...shell, '-c', script])
    }
    const precious = () => readdirSync(join(root, 'shared'))

    test('a release with a mount in it stays, and is named', () => {
      const output = mounted(removeReleasesScript(root, ['1', '2']), 'releases/1/sub/a b')
      expect(parseStuck(output)).toEqual([
        { release: '1', cause: expect.stringMatching(/something is mounted at \/.*\/1\/sub\/a b$/) },
      ])
      expect(there()).toEqual(['1', '3'])
      expect(precious()).toEqual(['precious'])
    })

    test.each<[string, string, () => string]>([
      [
        'what is half made',
        'releases/.9.partial/a',
        () =>
          halfMadeScript({
            remotePath: root,
            temporaryPath: join(root, 'tmp'),
            releases: join(root, 'releases'),
          }),
      ],
      [
        'a transfer',
        'tmp/9/a',
        () =>
          `${undoScript({ directory: join(root, 'tmp/9'), deployTo: root, tag: '9', withRelease: true, author })}`,
      ],
      [
        'a new release',
        'releases/1/a',
        () => revertScript(root, { release: '1', isNew: true }, undefined, author),
      ],
    ])('nothing behind a mount in %s is removed', (_, at, script) => {
      try {
        mounted(script(), at)
      } catch (error) {
        expect(String(error)).toContain('something is mounted at')
      }
      expect(precious()).toEqual(['precious'])
      expect(readdirSync(join(root, at))).toEqual([])
    })

    test.skipIf(!canFreeze)(
      'a file that nobody may remove keeps no other release, and no later removal',
      () => {
        const file = join(root, 'releases/1/sub/file')
        execFileSync('chattr', ['+i', file])
        expect(remove('1', '2')).toEqual([{ release: '.1.removed', cause: 'Operation not permitted' }])
        expect(there()).toEqual(['.1.removed', '3'])
        execFileSync('chattr', ['-i', join(root, 'releases/.1.removed/sub/file')])
        expect(remove()).toEqual([])
        expect(there()).toEqual(['3'])
      },
    )

    test('a directory of another user keeps no other release, and is named with its owner', () => {
      for (const path of [
        '',
        'releases',
        'releases/1',
        'releases/2',
        'releases/2/sub',
        'releases/2/sub/file',
      ])
        chownSync(join(root, path), NOBODY, NOBODY)
      const script = removeReleasesScript(root, ['1', '2'])
      const output = run([...shell, '-c', script], { uid: NOBODY, gid: NOBODY })
      expect(parseStuck(output)).toEqual([
        { release: '.1.removed', cause: 'something in it belongs to root' },
      ])
      expect(there()).toEqual(['.1.removed', '3'])
    })
  })
})
