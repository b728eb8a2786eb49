import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { applyManifest } from '../../src/attributes/apply.ts'
import { checkFiles } from '../../src/attributes/check-files.ts'
import { compareManifest } from '../../src/attributes/compare.ts'
import { MANIFEST } from '../../src/attributes/entry.ts'
import { decodeManifest } from '../../src/attributes/mtree/decode.ts'
import { encodeManifest } from '../../src/attributes/mtree/encode.ts'
import { scanTree } from '../../src/attributes/scan.ts'
import { removeTree } from '../../src/files/directories/remove-tree.ts'
import { asNobody, canBeNobody, NOBODY } from '../support/as-nobody.ts'

const isRoot = process.getuid?.() === 0
const has = (program: string) => {
  try {
    execFileSync('which', [program], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

let directory: string
let source: string
let target: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'murder-attributes-'))
  source = join(directory, 'source')
  target = join(directory, 'target')
  mkdirSync(source)
})
afterEach(() => removeTree(directory))

const put = (path: string, content = 'text', mode = 0o644) => {
  mkdirSync(join(source, path, '..'), { recursive: true })
  writeFileSync(join(source, path), content)
  chmodSync(join(source, path), mode)
}

/** A tree with one of everything that attributes can be. */
function makeTree(): void {
  put('bin/tool', '#!/bin/sh\n', 0o755)
  put('read only/a #1=ü', 'x', 0o400)
  put('plain')
  mkdirSync(join(source, 'empty/inner'), { recursive: true })
  chmodSync(join(source, 'empty'), 0o2711)
  linkSync(join(source, 'plain'), join(source, 'bin/also plain'))
  symlinkSync('../plain', join(source, 'bin/link'))
  symlinkSync('/nowhere/at all', join(source, 'dangling'))
  chmodSync(join(source, 'read only'), 0o555)
  utimesSync(join(source, 'plain'), 1_600_000_000.123456, 1_600_000_000.123456)
  utimesSync(join(source, 'empty'), 86_400, 86_400)
  if (!isRoot) return
  lchownSync(join(source, 'bin/tool'), 1234, 4321)
  lchownSync(join(source, 'bin/link'), 33, 33)
  chmodSync(join(source, 'bin/tool'), 0o4755)
}

/** Only the content of files, as a swarm brings it; nothing of attributes. */
function copyContent(): void {
  mkdirSync(target, { recursive: true })
  for (const name of readdirSync(source, { recursive: true })) {
    const path = String(name)
    if (!lstatSync(join(source, path)).isFile()) continue
    mkdirSync(join(target, path, '..'), { recursive: true })
    writeFileSync(join(target, path), readFileSync(join(source, path)))
  }
  writeFileSync(join(target, MANIFEST), '')
}

async function transfer() {
  copyContent()
  const manifest = decodeManifest(encodeManifest(await scanTree(source)))
  return { manifest, ...(await applyManifest(target, manifest)) }
}

const states = async () => {
  const checks = await compareManifest(target, await scanTree(source))
  return Object.fromEntries(
    checks.filter(({ state }) => state !== 'same').map((c) => [c.path, c.differences]),
  )
}

describe('a tree', () => {
  it('arrives with all its attributes', async () => {
    makeTree()
    const { warnings } = await transfer()
    expect(warnings).toEqual([])
    expect(await states()).toEqual({})
    expect(readlinkSync(join(target, 'bin/link'))).toBe('../plain')
    expect(lstatSync(join(target, 'plain')).ino).toBe(lstatSync(join(target, 'bin/also plain')).ino)
    expect(lstatSync(join(target, 'empty')).mode & 0o7777).toBe(0o2711)
    expect(lstatSync(join(target, 'empty')).mtimeMs).toBe(86_400_000)
  })

  it.skipIf(process.platform !== 'linux')('keeps which symlinks are one', async () => {
    symlinkSync('x', join(source, 'a'))
    linkSync(join(source, 'a'), join(source, 'b'))
    symlinkSync('x', join(source, 'c'))
    await transfer()
    expect(await states()).toEqual({})
    const [a, b, c] = ['a', 'b', 'c'].map((name) => lstatSync(join(target, name)).ino)
    expect(b).toBe(a)
    expect(c).not.toBe(a)
  })

  it('gets its attributes where its files are one, and changes none of a backup by hard links', async () => {
    for (const [name, mode] of [
      ['a', 0o644],
      ['b', 0o600],
      ['same', 0o640],
    ] as const)
      put(name, 'text', mode)
    linkSync(join(source, 'b'), join(source, 'c'))
    copyContent()
    for (const name of ['b', 'c']) {
      rmSync(join(target, name))
      linkSync(join(target, 'a'), join(target, name))
    }
    for (const tree of [source, target]) utimesSync(join(tree, 'same'), 1e9, 1e9)
    chmodSync(join(target, 'same'), 0o640)
    const backup = (name: string) => join(directory, name)
    const kept = () =>
      ['a', 'same'].map((name) => {
        const { ino, mode, mtimeNs } = lstatSync(backup(name), { bigint: true })
        return { ino, mode, mtimeNs }
      })
    for (const name of ['a', 'same']) linkSync(join(target, name), backup(name))
    const before = kept()
    const manifest = await scanTree(source)
    expect(await applyManifest(target, manifest)).toEqual({ warnings: [] })
    expect(await states()).toEqual({})
    expect(kept()).toEqual(before)
    const inode = (name: string) => lstatSync(join(target, name)).ino
    expect(inode('b')).toBe(inode('c'))
    expect(inode('b')).not.toBe(inode('a'))
    expect(inode('same')).toBe(lstatSync(backup('same')).ino)
    expect(readdirSync(target).sort()).toEqual([MANIFEST, 'a', 'b', 'c', 'same'])
  })

  it('arrives with links of the longest names that there are', async () => {
    put('a')
    linkSync(join(source, 'a'), join(source, 'h'.repeat(255)))
    symlinkSync('a', join(source, 's'.repeat(255)))
    await transfer()
    expect(await states()).toEqual({})
    expect(readdirSync(target).sort()).toEqual([MANIFEST, ...readdirSync(source)].sort())
  })

  it('changes nothing when it is there already', async () => {
    makeTree()
    await transfer()
    const before = lstatSync(join(target, 'bin/link'), { bigint: true })
    await applyManifest(target, await scanTree(source))
    expect(lstatSync(join(target, 'bin/link'), { bigint: true }).ino).toBe(before.ino)
    expect(await states()).toEqual({})
  })

  it.skipIf(!has('rsync') || !has('setfacl') || !has('setfattr'))(
    'leaves rsync -aHAX nothing to do',
    async () => {
      makeTree()
      execFileSync('setfattr', ['-n', 'user.origin', '-v', 'a b', join(source, 'plain')])
      execFileSync('setfacl', ['-m', 'u:12:r,m::rw', join(source, 'plain')])
      execFileSync('setfacl', ['-d', '-m', 'g:12:rwx', join(source, 'bin')])
      mkdirSync(target)
      execFileSync('setfacl', ['-d', '-m', 'g:99:rwx', target])
      execFileSync('setfattr', ['-n', 'user.old', '-v', 'x', target])
      const { warnings } = await transfer()
      expect(warnings).toEqual([])
      const args = [
        '-aHAXn',
        '--itemize-changes',
        '--modify-window=-1',
        '--exclude',
        `/${MANIFEST}`,
        '--delete',
      ]
      expect(execFileSync('rsync', [...args, `${source}/`, `${target}/`], { encoding: 'utf8' })).toBe('')
      expect(await states()).toEqual({})
    },
  )

  it.skipIf(!has('setfacl'))('has ACLs for the users and groups of the same names', async () => {
    put('plain')
    mkdirSync(join(source, 'directory'))
    execFileSync('setfacl', ['-m', 'u:4001:rw,u:4002:r,g:4001:r', join(source, 'plain')])
    execFileSync('setfacl', ['-d', '-m', 'g:4001:rwx', join(source, 'directory')])
    copyContent()
    const scanned = await scanTree(source)
    const aclNames = { users: new Map([[4001, 'daemon']]), groups: new Map([[4001, 'sys']]) }
    const manifest = decodeManifest(encodeManifest({ ...scanned, aclNames }))
    await applyManifest(target, manifest)
    const acl = (path: string) =>
      execFileSync('getfacl', ['-ncp', join(target, path)], { encoding: 'utf8' }).match(/\w+:\d+:.*/g)
    expect(acl('plain')).toEqual(['user:1:rw-', 'user:4002:r--', 'group:3:r--'])
    expect(acl('directory')).toEqual(['group:3:rwx'])
    const different = async () =>
      (await compareManifest(target, manifest))
        .filter(({ state }) => state !== 'same')
        .map(({ path }) => path)
    expect(await different()).toEqual([])
    execFileSync('setfacl', ['-x', 'u:1', '-m', 'u:4001:rw', join(target, 'plain')])
    expect(await different()).toEqual(['plain'])
    const { aclNames: named } = await scanTree(target)
    expect(named).toEqual({ users: new Map(), groups: new Map([[3, 'sys']]) })
  })

  it.skipIf(!canBeNobody || !has('setfattr'))(
    'arrives with attributes of files that their owner may not write, over files that he may not read',
    async () => {
      put('read only', 'text', 0o444)
      put('group', 'text', 0o440)
      execFileSync('setfacl', ['-m', 'u:12:r', join(source, 'group')])
      for (const name of ['read only', 'group'])
        execFileSync('setfattr', ['-n', 'user.origin', '-v', 'x', join(source, name)])
      copyContent()
      for (const name of ['read only', 'group']) {
        execFileSync('setfattr', ['-n', 'user.old', '-v', 'x', join(target, name)])
        chmodSync(join(target, name), 0o200)
      }
      execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, directory])
      await asNobody(async () => {
        expect(Object.keys(await states())).toEqual(expect.arrayContaining(['group', 'read only']))
        expect(await applyManifest(target, await scanTree(source))).toEqual({ warnings: [] })
        expect(await states()).toEqual({})
      })
    },
  )

  it.skipIf(!has('mtree'))('can be checked with mtree', async () => {
    makeTree()
    const { manifest } = await transfer()
    writeFileSync(join(target, MANIFEST), encodeManifest(manifest))
    await applyManifest(target, manifest)
    execFileSync('mtree', ['-f', MANIFEST], { cwd: target })
    chmodSync(join(target, 'plain'), 0o600)
    expect(() => execFileSync('mtree', ['-f', MANIFEST], { cwd: target, stdio: 'pipe' })).toThrow()
  })

  it.skipIf(!has('bsdtar'))('can be read by bsdtar', async () => {
    makeTree()
    const { manifest } = await transfer()
    writeFileSync(join(target, MANIFEST), encodeManifest(manifest))
    const listed = execFileSync('bsdtar', ['-tvf', MANIFEST], { cwd: target, encoding: 'utf8' })
    for (const text of ['-> ../plain', 'drwx--s--x', './read\\ only/'.replace('\\', ''), 'bin/also plain'])
      expect(listed).toContain(text)
  })
})

describe('tells what differs', () => {
  beforeEach(async () => {
    makeTree()
    await transfer()
  })

  it.each<[string, () => void, string, RegExp]>([
    ['a mode', () => chmodSync(join(target, 'plain'), 0o600), 'plain', /^mode 0600, not 0644$/],
    [
      'a time',
      () => utimesSync(join(target, 'plain'), 1, 1),
      'plain',
      /^time 1970-01-01T00:00:01.000000000, not 2020-09/,
    ],
    [
      'a symlink',
      () => {
        rmSync(join(target, 'dangling'))
        symlinkSync('elsewhere', join(target, 'dangling'))
      },
      'dangling',
      /^link to elsewhere, not "\/nowhere\/at all"$/,
    ],
    [
      'names that are two files',
      () => {
        cpSync(join(target, 'plain'), join(target, 'copy'), { preserveTimestamps: true })
        rmSync(join(target, 'plain'))
        cpSync(join(target, 'copy'), join(target, 'plain'), { preserveTimestamps: true })
      },
      'plain',
      /^not the same file as "bin\/also plain"$/,
    ],
  ])('%s', async (_, change, path, text) => {
    change()
    expect((await states())[path]?.find((line) => text.test(line))).toBeDefined()
  })

  it('a directory that is missing', async () => {
    rmSync(join(target, 'empty'), { recursive: true })
    const checks = await compareManifest(target, await scanTree(source))
    expect(checks.filter(({ state }) => state === 'missing').map(({ path }) => path)).toEqual([
      'empty',
      'empty/inner',
    ])
  })
})

describe('a manifest from anywhere', () => {
  it.skipIf(!isRoot)('brings setuid only with the owner it is for', async () => {
    put('tool', 'x', 0o755)
    const scan = await scanTree(source)
    for (const entry of scan.entries)
      if (entry.path === 'tool') Object.assign(entry, { mode: 0o6755, uid: 4321, gid: 4321 })
    copyContent()
    chmodSync(directory, 0o777)
    execFileSync('chown', ['-R', '1234:1234', target])
    process.setegid?.(1234)
    process.seteuid?.(1234)
    try {
      await applyManifest(target, scan)
    } finally {
      process.seteuid?.(0)
      process.setegid?.(0)
    }
    const { mode, uid } = lstatSync(join(target, 'tool'))
    expect([mode & 0o7777, uid]).toEqual([0o755, 1234])
  })

  it('reaches nothing through a symlink in the target', async () => {
    put('d/f', 'x', 0o600)
    const outside = join(directory, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'f'), 'precious', { mode: 0o640 })
    mkdirSync(target)
    symlinkSync(outside, join(target, 'd'))
    await expect(applyManifest(target, await scanTree(source))).rejects.toMatchObject({ code: 'WRONG_KIND' })
    expect(lstatSync(join(outside, 'f')).mode & 0o777).toBe(0o640)
  })

  it('puts no symlink in the place of a directory that is not empty', async () => {
    symlinkSync('x', join(source, 'd'))
    mkdirSync(join(target, 'd'), { recursive: true })
    writeFileSync(join(target, 'd/mine'), 'precious')
    await expect(applyManifest(target, await scanTree(source))).rejects.toMatchObject({ code: 'WRONG_KIND' })
    expect(readFileSync(join(target, 'd/mine'), 'utf8')).toBe('precious')
  })

  it('has the files of its torrent, no more and no less', async () => {
    put('a')
    const scan = await scanTree(source)
    const files = [
      { path: ['a'], length: 4 },
      { path: [MANIFEST], length: 99 },
    ]
    expect(() => checkFiles(scan, files)).not.toThrow()
    expect(() => checkFiles(scan, [...files, { path: ['b'], length: 1 }])).toThrow(/b is not among them/)
    expect(() => checkFiles(scan, [{ path: ['a'], length: 5 }])).toThrow(/a is no file of the torrent/)
  })
})

it('leaves out what is excluded, an earlier manifest, and what cannot travel', async () => {
  put('a')
  put('logs/x')
  put(MANIFEST)
  execFileSync('mkfifo', [join(source, 'pipe')])
  const { entries, leftOut } = await scanTree(source, { exclude: ['logs/'] })
  expect(entries.map(({ path }) => path)).toEqual(['.', 'a'])
  expect(leftOut).toEqual(['pipe'])
})
