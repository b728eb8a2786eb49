import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readReleaseLine, readReleaseScript } from '../../../../../src/deploy/scripts/releases/copy-script.ts'

const isRoot = process.getuid?.() === 0
const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "it's \\ [x] "))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe.each([
  ['dash', ['dash']],
  ['busybox', ['busybox', 'sh']],
])('with %s', (_, shell) => {
  /** Runs the script where these directories of the release have something mounted. Gives the names in the archive. */
  const read = (binds: string[], tmpfs: string[]) => {
    const mounts = [
      ...binds.map((at) => ['mount', '--bind', join(root, 'shared'), join(root, 'releases/1', at)]),
      ...tmpfs.map((at) => ['mount', '-t', 'tmpfs', 'none', join(root, 'releases/1', at)]),
    ]
    const script = readReleaseScript(join(root, 'releases'), '1')
    const all =
      'for n; do if [ "$n" = -- ]; then shift; break; fi; sh -c "$n" || exit 1; shift; done; exec "$@"'
    const quoted = mounts.map((words) => words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' '))
    const unshare = mounts.length > 0 ? ['unshare', '-m', 'sh', '-c', all, 'sh', ...quoted, '--'] : []
    const [program = '', ...words] = [...unshare, ...shell, '-c', script]
    const lines = execFileSync(program, words, { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .map(readReleaseLine)
    const input = Buffer.concat(lines.flatMap((line) => ('bytes' in line ? [line.bytes] : [])))
    const names = execFileSync('tar', ['tf', '-', '--quoting-style=literal'], { input, encoding: 'utf8' })
    return {
      left: lines.flatMap((line) => ('left' in line ? [line.left] : [])).sort(),
      names: names.trimEnd().split('\n').sort(),
    }
  }
  const put = (path: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), '')
  }

  test('a release without mounts is read as a whole', () => {
    put('releases/1/sub/.hidden')
    put('releases/1/a*b')
    expect(read([], [])).toEqual({ left: [], names: ['./', './a*b', './sub/', './sub/.hidden'] })
  })

  test.skipIf(!canMount)('what is mounted in it comes empty, a bind mount, too', () => {
    put('shared/secret')
    for (const file of ['uploads/own', 'up *[x]/own', 'up other [x]/file', 'a/uploads/file', 'tmp/own'])
      put(`releases/1/${file}`)
    const found = read(['uploads', 'up *[x]'], ['tmp'])
    expect(found.left).toEqual(['tmp', 'up *[x]', 'uploads'])
    expect(found.names).toEqual(
      [
        './',
        './a/',
        './a/uploads/',
        './a/uploads/file',
        './tmp/',
        './up *[x]/',
        './up other [x]/',
        './up other [x]/file',
        './uploads/',
      ].sort(),
    )
    expect(readdirSync(join(root, 'shared'))).toEqual(['secret'])
  })
})
