import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../../src/files/entry.ts'
import { adoptInto } from '../../../../src/package/unpack/adopt.ts'
import { makeWhole } from '../../../../src/package/unpack/unpack.ts'
import { plant, temporary } from '../trees.ts'

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')
const root: Entry = { path: '.', type: 'directory', mode: 0o755, mtime: 0n, size: 0 }
const file = (path: string, content: string, mode = 0o640) =>
  ({
    path,
    type: 'file',
    mode,
    mtime: 5_000_000_000n,
    size: content.length,
    sha256: sha256(content),
  }) as const

/** What becomes of fetched files when these entries are made of them. */
async function adopt(fetched: Record<string, string>, entries: (Entry & { sha256?: string })[]) {
  const place = temporary()
  const [from, into] = [plant(join(place, 'from'), fetched), join(place, 'into')]
  const result = await makeWhole({ into }, (destination) =>
    adoptInto(destination, { from, entries: [root, ...entries] }),
  ).catch((error: { code: string }) => error.code)
  return { from, into, result }
}

describe('adoptInto', () => {
  it('gives each file a second name, its mode and its time', async () => {
    const { from, into, result } = await adopt({ a: 'content' }, [file('a', 'content')])
    expect(result).toEqual({ files: 1, bytes: 7 })
    const stats = statSync(join(into, 'a'))
    expect(stats.ino).toBe(statSync(join(from, 'a')).ino)
    expect([stats.mode & 0o7777, stats.mtimeMs]).toEqual([0o640, 5000])
    expect(readFileSync(join(into, 'a'), 'utf8')).toBe('content')
  })

  describe.skipIf(process.getuid?.() !== 0 || spawnSync('setfacl', ['-v']).error !== undefined)(
    'gives files what is made in the destination',
    () => {
      it.each([
        ['a setgid group', 'into', ['chgrp', '44'], ['chmod', 'g+s'], 44, ''],
        ['a default ACL', 'into', ['setfacl', '-d', '-m', 'u:33:r'], ['true'], 0, 'user:33:r--\n'],
        ['not the default ACL of the source', 'from', ['setfacl', '-d', '-m', 'u:33:r'], ['true'], 0, ''],
      ] as const)('%s', async (_, which, first, second, gid, acl) => {
        const place = temporary()
        const [from, releases] = [join(place, 'from'), join(place, 'into')]
        for (const path of [from, releases]) mkdirSync(path)
        for (const [program, ...args] of [first, second])
          spawnSync(program, [...args, which === 'into' ? releases : from])
        plant(from, { a: 'content' })
        const into = join(releases, 'release')
        await makeWhole({ into }, (destination) =>
          adoptInto(destination, { from, entries: [root, file('a', 'content')] }),
        )
        const { stdout } = spawnSync('getfacl', ['-ncp', join(into, 'a')], { encoding: 'utf8' })
        expect(stdout.match(/user:\d.*\n/)?.[0] ?? '').toBe(acl)
        const { gid: group, mode } = statSync(join(into, 'a'))
        expect([group, mode & 0o777]).toEqual([gid, 0o640])
        expect(readFileSync(join(into, 'a'), 'utf8')).toBe('content')
      })
    },
  )

  it.each([
    ['of other content', { a: 'Content' }, [file('a', 'content')], 'PACKAGE_WRONG'],
    ['that is missing', {}, [file('a', 'content')], 'PACKAGE_MISSING'],
    [
      'below a symlink',
      { 'd/a': 'x' },
      [{ ...root, path: 'd', type: 'symlink', linkname: '/tmp' }, file('d/a', 'x')],
      'PACKAGE_REFUSED',
    ],
    ['outside', { a: 'x' }, [file('../a', 'x')], 'PACKAGE_REFUSED'],
  ] as [string, Record<string, string>, Entry[], string][])(
    'refuses a file %s, and leaves nothing',
    async (_, fetched, entries, code) => {
      const { into, result } = await adopt(fetched, entries)
      expect(result).toBe(code)
      expect(existsSync(into)).toBe(false)
    },
  )
})
