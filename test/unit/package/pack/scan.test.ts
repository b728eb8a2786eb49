import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { gitIgnore } from '../../../../src/package/pack/excludes.ts'
import { rsyncFilter } from '../../../../src/package/pack/rsync-filter.ts'
import { scan } from '../../../../src/package/pack/scan.ts'
import { plant, temporary, unprivileged } from '../trees.ts'

const paths = (root: string, ignore?: string[]) =>
  scan(root, { excludes: ignore ? [gitIgnore(ignore)] : [] }).map(({ path }) => path)

describe('scan', () => {
  it('tells type, mode, mtime in nanoseconds, size and link target', () => {
    const root = plant(temporary(), {
      'bin/run': { content: 'abc', mode: 0o4755, at: '1700000000.123456789' },
      'bin/link': { link: '/nowhere', at: '1600000000.5' },
      'bin/': { mode: 0o2750, at: '1500000000' },
    })
    expect(scan(root).slice(1)).toEqual([
      { path: 'bin', type: 'directory', mode: 0o2750, mtime: 1500000000_000000000n, size: 0 },
      {
        path: 'bin/link',
        type: 'symlink',
        mode: 0o777,
        mtime: 1600000000_500000000n,
        size: 0,
        linkname: '/nowhere',
      },
      { path: 'bin/run', type: 'file', mode: 0o4755, mtime: 1700000000_123456789n, size: 3 },
    ])
    expect(scan(root)[0]).toMatchObject({ path: '.', type: 'directory' })
  })

  it('sorts by the bytes of the whole path', () => {
    const names = ['b', 'a/z', 'a-b', 'a.c', 'é', 'Z', '\u{1F600}', '\uFF5E', '-x', '!']
    const root = plant(temporary(), Object.fromEntries(names.map((name) => [name, ''])))
    const [first, ...found] = paths(root)
    expect(first).toBe('.')
    expect(found).toEqual([...found].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    expect(found).toHaveLength(names.length + 1)
  })

  it('ignores as gitignore does', () => {
    const root = plant(temporary(), {
      'keep.txt': '',
      'debug.log': '',
      'important.log': '',
      'node_modules/x/y': '',
      'src/node_modules/z': '',
      'build/out': '',
      'src/build/kept': '',
      'Case.LOG': '',
    })
    expect(paths(root, ['*.log', '!important.log', 'node_modules/', '/build', '# comment', ''])).toEqual([
      '.',
      'Case.LOG',
      'important.log',
      'keep.txt',
      'src',
      'src/build',
      'src/build/kept',
    ])
  })

  it('leaves out what any of several lists excludes', () => {
    const root = plant(temporary(), { 'a/config/x': '', 'config/x': '', 'y.log': '', z: '' })
    const lists = [rsyncFilter([{ kind: 'exclude', pattern: 'config/x' }]), gitIgnore(['*.log', '!config/x'])]
    expect(scan(root, { excludes: lists }).map(({ path }) => path)).toEqual([
      '.',
      'a',
      'a/config',
      'config',
      'z',
    ])
  })

  it('never follows a symlink', () => {
    const root = plant(temporary(), { 'real/file': '', loop: { link: '.' }, 'to-real': { link: 'real' } })
    expect(paths(root)).toEqual(['.', 'loop', 'real', 'real/file', 'to-real'])
  })

  it('refuses a root that is missing, a file or empty', () => {
    const root = temporary()
    writeFileSync(join(root, 'file'), '')
    mkdirSync(join(root, 'empty'))
    expect(() => scan(join(root, 'none'))).toThrow(expect.objectContaining({ code: 'RELEASE_MISSING' }))
    expect(() => scan(join(root, 'file'))).toThrow(expect.objectContaining({ code: 'RELEASE_NOT_DIRECTORY' }))
    expect(() => scan(join(root, 'file', 'below'))).toThrow(
      expect.objectContaining({ code: 'RELEASE_MISSING' }),
    )
    expect(() => scan(join(root, 'empty'))).toThrow(expect.objectContaining({ code: 'RELEASE_EMPTY' }))
    expect(() => scan(root, { excludes: [gitIgnore(['*'])] })).toThrow(/apart from what is ignored/)
  })

  it('refuses a fifo and names it, unless it is ignored', () => {
    const root = plant(temporary(), { 'run/file': '' })
    execFileSync('mkfifo', [join(root, 'run', 'pipe')])
    expect(() => scan(root)).toThrow(/^run\/pipe is a fifo/)
    expect(paths(root, ['pipe'])).toEqual(['.', 'run', 'run/file'])
  })

  it('refuses names and targets that are not UTF-8', () => {
    const name = temporary()
    writeFileSync(Buffer.concat([Buffer.from(`${name}/bad-`), Buffer.from([0xff])]), '')
    expect(() => scan(name)).toThrow(expect.objectContaining({ code: 'FILE_NAME' }))
    const target = temporary()
    execFileSync('bash', ['-c', 'ln -s "$(printf \'\\xfe\')" "$1/link"', 'bash', target])
    expect(() => scan(target)).toThrow(/target of the symlink link is not valid UTF-8/)
  })

  it('names a directory that it may not read', async () => {
    const root = plant(temporary(), { 'secret/file': '' })
    chmodSync(root, 0o755)
    chmodSync(join(root, 'secret'), 0o000)
    await unprivileged(() => {
      expect(() => scan(root)).toThrow('cannot read secret: permission denied')
    })
  })
})
