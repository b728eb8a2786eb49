import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatRsyncCommand } from 'ssh-pool/lib/commands/rsync.js'
import { describe, expect, it } from 'vitest'
import { readCopyOptions } from '../../src/config/copy/copy-options.ts'
import { releaseEntries } from '../../src/deploy/transfer/workspace/release-entries.ts'
import { pack } from '../../src/package/pack/pack.ts'
import { unpack } from '../../src/package/unpack/unpack.ts'
import { plant, survey, type Tree, temporary } from '../unit/package/trees.ts'

const hasRsync = spawnSync('rsync', ['--version']).status === 0

const tree: Tree = {
  'app.js': { content: 'app', mode: 0o664 },
  'bin/run': { content: 'run', mode: 0o2775 },
  'bin/': { mode: 0o2770 },
  'logs/a.log': 'log',
  'logs/deep/b.log': 'log',
  'workspace/inner': 'named like the directory above',
  'link to file': { link: 'app.js' },
  'logs/link': { link: '../bin' },
  '-x y': { content: 'odd', mode: 0o600 },
  'large link': { link: 'large' },
  large: Buffer.alloc(300_000, 7),
  './': { mode: 0o750 },
}

interface RemoteCopy {
  copyAsDir?: boolean
  rsync?: string | string[]
  ignores?: string[]
}

/** As shipit-deploy and ssh-pool have it copied, with the release directory made before. */
function rsynced(
  source: string,
  config: { ignores?: string[]; rsync?: string; remoteCopy: RemoteCopy },
): string {
  const release = join(temporary(), 'release')
  mkdirSync(release, { mode: 0o755 })
  const { ignores = [], rsync = [] } = config
  const options = { ignores, rsync, ...config.remoteCopy }
  const command = formatRsyncCommand({
    src: config.remoteCopy.copyAsDir ? source : `${source}/`,
    dest: `${release}/`,
    excludes: options.ignores,
    additionalArgs: [options.rsync].flat(),
  })
  execFileSync('sh', ['-c', command], { stdio: 'pipe' })
  return release
}

async function packaged(
  source: string,
  config: { ignores?: string[]; remoteCopy: RemoteCopy },
): Promise<string> {
  const { remoteCopy, ...rest } = config
  const { copy, problems } = readCopyOptions({ ...rest, deploy: { remoteCopy } })
  expect(problems).toEqual([])
  const directory = temporary()
  const { root, entries } = releaseEntries(source, copy, [])
  const output = join(directory, 'package')
  await pack({ root, entries, output, compression: 'none', pieceLength: 16384 })
  const into = join(directory, 'release')
  await unpack({ file: output, compression: 'none', into })
  return into
}

describe.skipIf(!hasRsync)('a release beside that of shipit-deploy', () => {
  const cases: { ignores?: string[]; rsync?: string; remoteCopy: RemoteCopy }[] = [
    { remoteCopy: {} },
    { ignores: ['*.log'], remoteCopy: { rsync: '--del' } },
    { ignores: ['*.log'], remoteCopy: { ignores: ['/bin'] } },
    { ignores: ['/workspace/logs', '/bin', '/logs', 'workspace/inner/'], remoteCopy: { copyAsDir: true } },
    { ignores: ['/workspace/logs', '/bin'], remoteCopy: { copyAsDir: true } },
    { ignores: ['a.log'], rsync: '--exclude app.js', remoteCopy: { copyAsDir: false } },
    { remoteCopy: { rsync: ["--include='/logs/***'", '--exclude=*.log', '--exclude', '"-x y"'] } },
    { ignores: ['+ a.log'], remoteCopy: { rsync: '--exclude=*.log' } },
    { remoteCopy: { rsync: '-avzL --delete -e ssh' } },
    { ignores: ['logs/link/'], remoteCopy: { copyAsDir: true, rsync: ['--copy-links'] } },
    { remoteCopy: { rsync: ['--no-perms'] } },
    { remoteCopy: { copyAsDir: true, rsync: ['--no-perms', '--chmod=ugo=rwX'] } },
    { remoteCopy: { rsync: ['--no-perms', '-a'] } },
    ...[
      ...[
        'D2755,F640',
        'Du=rwx,go=rx,F=r',
        'ug+w,o-rwx',
        'a=rX',
        '+X',
        '=rw',
        'Dg+s,Fg-s',
        'u+s',
        '+t',
        'g=',
        'u=s',
        'go=w',
      ],
      ...['Fa-x', '644,D+X', 'u+rwxs,g-s,o=t', '-w', 'D-s', 'D=', '7777', 'Fug=rws', '0'],
    ].map((modes) => ({ remoteCopy: { rsync: [`--chmod=${modes}`] } })),
    { remoteCopy: { rsync: ['--chmod=Fo-r', '--chmod', 'Do-x'] } },
  ]

  it.each(cases)('is the same with %j', async (config) => {
    const source = plant(join(temporary(), 'workspace'), tree)
    const [theirs, ours] = [rsynced(source, config), await packaged(source, config)].map((root) =>
      survey(root),
    )
    expect(ours?.slice(1)).toEqual(theirs?.slice(1))
    expect(ours?.[0]?.split(' ')[1]).toBe(theirs?.[0]?.split(' ')[1])
  })

  it.each(['', 'x', '8', 'u', 'DF+x', 'u+rwz', 'u+x-w', '77777', ','])(
    'refuses --chmod=%s as rsync does',
    (modes) => {
      const source = temporary()
      writeFileSync(join(source, 'file'), '')
      const { problems } = readCopyOptions({ deploy: { remoteCopy: { rsync: [`--chmod=${modes}`] } } })
      const { status } = spawnSync('rsync', ['-an', `--chmod=${modes}`, `${source}/`, join(source, 'to')])
      expect(problems.length > 0).toBe(status !== 0)
    },
  )
})

describe('with --copy-links', () => {
  const { copy } = readCopyOptions({ deploy: { remoteCopy: { rsync: '-L' } } })
  const entries = (source: string, ignores: string[] = []) =>
    releaseEntries(source, { ...copy, filter: ignores.map((pattern) => ({ kind: 'exclude', pattern })) }, [])
      .entries

  it('a link to nothing is one clear error, unless it is ignored', () => {
    const source = plant(temporary(), { file: '', 'a/link': { link: 'no\nthing' } })
    expect(() => entries(source)).toThrow(
      expect.objectContaining({
        code: 'LINK_DANGLING',
        message: 'a/link is a symlink to "no\\nthing", where nothing is',
      }),
    )
    for (const ignores of ['link', 'link/', '/a/*'])
      expect(entries(source, [ignores]).map(({ path }) => path)).toEqual(['.', 'a', 'file'])
  })

  it('a link to a directory that it is in is one clear error, unless it is ignored', () => {
    const source = plant(temporary(), { 'a/file': '', 'b/file': '' })
    symlinkSync('../b', join(source, 'a/to-b'))
    symlinkSync('../a', join(source, 'b/to-a'))
    expect(() => entries(source)).toThrow(expect.objectContaining({ code: 'LINK_LOOP' }))
    expect(entries(source, ['to-a']).map(({ path }) => path)).toContain('a/to-b/file')
  })
})
