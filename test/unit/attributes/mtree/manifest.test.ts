import { describe, expect, it } from 'vitest'
import type { Manifest, TreeEntry } from '../../../../src/attributes/entry.ts'
import { decodeManifest } from '../../../../src/attributes/mtree/decode.ts'
import { encodeManifest } from '../../../../src/attributes/mtree/encode.ts'

const common = { mode: 0o644, mtime: 1_700_000_000_123_456_789n, size: 0, uid: 0, gid: 0 }
const root: TreeEntry = { ...common, path: '.', type: 'directory', mode: 0o755 }
const file = (path: string, more: Partial<TreeEntry> = {}): TreeEntry => ({
  ...common,
  path,
  type: 'file',
  size: 3,
  ...more,
})

describe('a manifest that is written can be read again', () => {
  it.each<[string, TreeEntry[]]>([
    ['an empty directory', [root]],
    [
      'names that mean something to readers',
      ['a b', 'a#b', 'a=b', 'a\\b', 'a*?[b]', 'ü', 'a\nb', "a'b", '-x'].map((path) => file(path)),
    ],
    ['owners', [file('a', { uid: 33, gid: 33, uname: 'www-data', gname: 'www-data' }), file('b')]],
    [
      'owners with names and without',
      [
        file('a', { uname: 'root', gname: 'root' }),
        file('b', { uname: 'root', gname: 'root' }),
        file('c', { uid: 7 }),
      ],
    ],
    [
      'owners that all have names',
      [{ ...root, uname: 'root', gname: 'root' }, file('a', { uname: 'x y', gname: 'z', uid: 9 })],
    ],
    ['setuid, setgid and sticky', [file('a', { mode: 0o7755 })]],
    ['times before 1970 and with few nanoseconds', [file('a', { mtime: -1n }), file('b', { mtime: 5n })]],
    ['symlinks', [{ ...file('l', { size: 0, linkname: '../some where/ü' }), type: 'symlink' }]],
    ['names of one file', [file('a'), file('b', { hardlink: 'a' })]],
    [
      'names of one symlink',
      [
        { ...file('a', { size: 0, linkname: 'x' }), type: 'symlink' },
        { ...file('b', { size: 0, linkname: 'x', hardlink: 'a' }), type: 'symlink' },
      ],
    ],
    ['extended attributes', [file('a', { xattrs: { 'user.a b': 'AAEC', 'user.empty': '' } })]],
    ['hashes', [file('a', { sha256: 'ab'.repeat(32) })]],
  ])('%s', (_, entries) => {
    for (const hasXattrs of [true, false]) {
      const manifest: Manifest = {
        entries: entries[0]?.path === '.' ? entries : [root, ...entries],
        hasXattrs,
      }
      expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest)
    }
  })
})

it('keeps the names of users and groups in ACLs', () => {
  const aclNames = { users: new Map([[4001, 'al ice']]), groups: new Map([[7, 'staff']]) }
  const manifest: Manifest = { entries: [root], hasXattrs: true, aclNames }
  expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest)
})

describe('refuses', () => {
  const top = '. type=dir mode=0755 uid=0 gid=0 time=0.000000000'
  const rest = 'mode=0644 uid=0 gid=0 time=0.000000000'
  it.each([
    ['nothing', '', 'it is empty'],
    ['something else', 'hello', 'no keywords'],
    ['what does not begin with the directory', `./a type=file size=1 ${rest}`, 'does not begin'],
    ['a path that leaves the directory', `${top}\n./../x type=file size=1 ${rest}`, "holds '\\.\\.'"],
    ['an escaped way out', `${top}\n./\\056\\056/x type=file size=1 ${rest}`, "holds '\\.\\.'"],
    ['an absolute path', `${top}\n/etc/passwd type=file size=1 ${rest}`, "does not begin with './'"],
    ['another absolute path', `${top}\n.//etc type=file size=1 ${rest}`, 'is absolute'],
    ['NUL', `${top}\n./a\\000b type=file size=1 ${rest}`, 'NUL'],
    ['a path that comes twice', `${top}\n./a type=dir ${rest}\n./a type=dir ${rest}`, 'comes twice'],
    [
      'a path in a symlink',
      `${top}\n./a type=link link=/etc ${rest}\n./a/b type=file size=1 ${rest}`,
      'in no directory',
    ],
    ['a path in a directory that is not listed', `${top}\n./a/b type=file size=1 ${rest}`, 'in no directory'],
    ['a device', `${top}\n./a type=block device=8 ${rest}`, 'is a block'],
    ['a mode that is none', `${top}\n./a type=dir mode=99 uid=0 gid=0 time=0.000000000`, 'no mode'],
    ['a size that is none', `${top}\n./a type=file size=1e99 ${rest}`, 'no size'],
    ['a hash that is none', `${top}\n./a type=file size=1 sha256digest=xy ${rest}`, 'SHA-256'],
    ['a symlink to nowhere', `${top}\n./a type=link ${rest}`, 'impossible target'],
    [
      'a second name of a directory',
      `${top}\n./d type=dir ${rest}\n./a type=file size=1 ${rest}\n#hardlink ./d`,
      'one file',
    ],
    [
      'a second name of a longer file',
      `${top}\n./b type=file size=2 ${rest}\n./a type=file size=1 ${rest}\n#hardlink ./b`,
      'one file',
    ],
    [
      'a second name of another symlink',
      `${top}\n./b type=link link=x ${rest}\n./a type=link link=y ${rest}\n#hardlink ./b`,
      'one file',
    ],
    [
      'a file as a second name of a symlink',
      `${top}\n./b type=link link=x ${rest}\n./a type=file size=0 ${rest}\n#hardlink ./b`,
      'one file',
    ],
    ['a second name of itself', `${top}\n./a type=file size=1 ${rest}\n#hardlink ./a`, 'one file'],
    [
      'a second name of something outside',
      `${top}\n./a type=file size=1 ${rest}\n#hardlink ./../b`,
      "holds '\\.\\.'",
    ],
    ['an attribute of nothing', '#xattr user.a AA==', 'extended attribute'],
    ['an impossible name in an ACL', '#acl-user 1 a:b', 'impossible name'],
    ['a name in an ACL for no number', '#acl-group x a', 'no uid'],
    ['an attribute that is not base64', `${top}\n#xattr user.a {}`, 'extended attribute'],
  ])('%s', (_, text, why) => {
    expect(() => decodeManifest(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'BAD_MANIFEST', message: expect.stringMatching(why) }),
    )
  })
})
